// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The body of the header tests: the build puts one public header before it, so that each is
// compiled with nothing else in front. A namespace keeps the unit from being empty.

namespace interlock {
} // namespace interlock
