// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// Go's side of "connections": accepts a number of connections, echoes what it reads, and closes each after its last message,
// as the servers of servers.hpp do.
//
//	server CONNECTIONS SIZE THREADS
//
// Prints its port, and in the end the microseconds of processor time that it has used since.
package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
)

func require(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

func number(i int) int {
	if len(os.Args) <= i {
		require(fmt.Errorf("usage: server CONNECTIONS SIZE THREADS"))
	}
	n, err := strconv.Atoi(os.Args[i])
	require(err)
	return n
}

func processorTime() int64 {
	var u syscall.Rusage
	require(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return (u.Utime.Sec+u.Stime.Sec)*1000000 + u.Utime.Usec + u.Stime.Usec
}

func serve(connection net.Conn, size int) {
	message := make([]byte, size)
	for got := 0; ; {
		n, err := connection.Read(message[got:])
		require(err)
		_, err = connection.Write(message[got : got+n])
		require(err)
		if got += n; got < size {
			continue
		}
		got = 0
		// How many messages follow.
		if binary.LittleEndian.Uint32(message[4:]) == 0 {
			break
		}
	}
	require(connection.Close())
}

func main() {
	count, size := number(1), number(2)
	runtime.GOMAXPROCS(number(3))
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	require(err)
	begin := processorTime()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	var sessions sync.WaitGroup
	for i := 0; i != count; i++ {
		connection, err := listener.Accept()
		require(err)
		sessions.Add(1)
		go func() {
			defer sessions.Done()
			serve(connection, size)
		}()
	}
	sessions.Wait()
	fmt.Println(processorTime() - begin)
}
