// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The search of these pages, without a server: the index is a script, which is loaded when the search is first used.
"use strict";

const root = document.currentScript.dataset.root;
const query = document.getElementById("query");
const results = document.getElementById("results");
let sections = null;
let weights = null;

// search_index.js calls this with the weights and [title, page, address, text, keywords, bonus] of each section.
function interlockSearch([given, entries]) {
  weights = given;
  sections = entries.map(([title, page, address, text, keywords, bonus]) => ({
    title, page, address, text, bonus,
    low: { title: title.toLowerCase(), page: page.toLowerCase(), text: text.toLowerCase(), keywords: keywords.toLowerCase() },
  }));
  show();
}

function loadIndex() {
  if (sections !== null || document.getElementById("index")) return;
  const script = document.createElement("script");
  script.id = "index";
  script.src = root + "search_index.js";
  document.head.append(script);
}

// From here on to find() this does what search.py does: see there.
function wordsOf(text) {
  const words = text.toLowerCase().split(/[^a-z0-9_]+/).filter(Boolean);
  const telling = words.filter((word) => !weights.ignored.includes(word));
  return telling.length ? telling : words;
}

function patternsOf(word) {
  return [`(?:^|[^a-z0-9])${word}`, `(?:^|[^a-z0-9])${word}(?![a-z0-9])`, `(?:^|[^a-z0-9_])${word}(?![a-z0-9_])`]
    .map((pattern) => new RegExp(pattern));
}

function pointsOf(section, patterns) {
  let total = 0;
  for (const field of ["title", "keywords", "page", "text"]) {
    let level = 0;
    while (level < 3 && patterns[level].test(section.low[field])) ++level;
    total += level ? weights[field][level - 1] : 0;
  }
  return total;
}

function withoutTwins(found) {
  const said = new Set();
  return found.filter(({ low }) => {
    const name = low.title.lastIndexOf("::");
    if (name < 0) return true;
    const text = low.text.replaceAll(low.title.slice(0, name), "");
    return !said.has(text) && said.add(text);
  });
}

function find(text) {
  const words = wordsOf(text);
  const all = words.join(" ");
  const patterns = words.map(patternsOf);
  const scores = sections.map((section) => {
    const points = patterns.map((pattern) => pointsOf(section, pattern));
    const whole = [section.low.title, ...section.low.keywords.split(",")].some((name) => wordsOf(name).join(" ") === all);
    const sum = points.reduce((one, other) => one + other, 0) + section.bonus + (whole ? weights.all : 0);
    return { section, sum, count: points.filter(Boolean).length };
  });
  const most = Math.max(1, ...scores.map(({ count }) => count));
  const found = scores.filter(({ count }) => count === most).sort((a, b) => b.sum - a.sum).map(({ section }) => section);
  return withoutTwins(found).slice(0, weights.shown);
}

function anyOf(words) {
  return new RegExp(`(^|[^a-z0-9])(${words.join("|")})`, "gi");
}

// What stands around the first word in the text.
function excerpt(section, words) {
  const at = Math.max(0, section.text.search(anyOf(words)));
  const start = at > 60 ? section.text.lastIndexOf(" ", at - 40) + 1 : 0;
  return (start ? "… " : "") + section.text.slice(start, start + 160);
}

// The text with the words marked, as nodes: nothing of it is taken for HTML.
function marked(text, words) {
  const line = document.createElement("span");
  let end = 0;
  for (const found of text.matchAll(anyOf(words))) {
    const start = found.index + found[1].length;
    const mark = document.createElement("mark");
    mark.textContent = found[2];
    line.append(text.slice(end, start), mark);
    end = start + found[2].length;
  }
  line.append(text.slice(end));
  return line;
}

function resultOf(section, words) {
  const link = document.createElement("a");
  link.href = root + section.address;
  const title = document.createElement("b");
  title.textContent = section.title;
  link.append(title, section.page ? ` ${section.page}` : "", marked(excerpt(section, words), words));
  return link;
}

function show() {
  results.hidden = !/\w/.test(query.value);
  if (results.hidden) return results.replaceChildren();
  if (sections === null) return results.replaceChildren("Loading …");
  const words = wordsOf(query.value);
  const found = find(query.value);
  results.replaceChildren(...(found.length ? found.map((section) => resultOf(section, words)) : ["No match"]));
}

query.addEventListener("focus", loadIndex);
query.addEventListener("input", () => { loadIndex(); show(); });
query.addEventListener("keydown", (event) => {
  const first = results.querySelector("a");
  if (event.key === "Enter" && first) first.click();
  if (event.key === "ArrowDown" && first) { event.preventDefault(); first.focus(); }
});
results.addEventListener("keydown", (event) => {
  const next = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  if (!next) return;
  event.preventDefault();
  (document.activeElement[next] || query).focus();
});
results.addEventListener("click", () => { results.hidden = true; });
document.addEventListener("keydown", (event) => {
  const writes = /INPUT|TEXTAREA/.test(document.activeElement.tagName);
  if (event.key === "/" && !writes) { event.preventDefault(); query.focus(); }
  if (event.key === "Escape") { results.hidden = true; query.blur(); }
});
document.addEventListener("click", (event) => { if (!event.target.closest("search")) results.hidden = true; });

// The current page is in sight in the contents.
const current = document.querySelector("nav [aria-current]");
if (current) current.closest("nav").scrollTop = current.offsetTop - 120;
