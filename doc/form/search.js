// Copyright (c) 2026 The Interlock authors
// SPDX-License-Identifier: BSL-1.0
//
// The search of these pages, without a server: the index is a script, which is loaded when the search is first used.
"use strict";

const root = document.currentScript.dataset.root;
const query = document.getElementById("query");
const results = document.getElementById("results");
const mostResults = 30;
let sections = null;

// search_index.js calls this with [title, page, address, text] of each section.
function interlockSearch(entries) {
  sections = entries.map(([title, page, address, text]) =>
    ({ title, page, address, text, lowTitle: title.toLowerCase(), lowText: text.toLowerCase() }));
  show();
}

function loadIndex() {
  if (sections !== null || document.getElementById("index")) return;
  const script = document.createElement("script");
  script.id = "index";
  script.src = root + "search_index.js";
  document.head.append(script);
}

// A section matches if it has every word; one whose title has them, or begins with one, comes first.
function score(section, words) {
  let sum = 0;
  for (const word of words) {
    const inTitle = section.lowTitle.indexOf(word);
    if (inTitle < 0 && !section.lowText.includes(word)) return 0;
    const whole = section.lowTitle.split(/\W+/).includes(word);
    sum += inTitle < 0 ? 1 : whole ? 20 : section.lowTitle.startsWith(word) ? 12 : 8;
  }
  return sum - section.title.length / 100;
}

// What stands around the first word in the text.
function excerpt(section, words) {
  const at = Math.max(0, Math.min(...words.map((word) => section.lowText.indexOf(word)).filter((n) => n >= 0)));
  const start = Number.isFinite(at) && at > 60 ? section.text.lastIndexOf(" ", at - 40) + 1 : 0;
  return (start ? "… " : "") + section.text.slice(start, start + 160);
}

// The text with the words marked, as nodes: nothing of it is taken for HTML.
function marked(text, words) {
  const line = document.createElement("span");
  const pattern = new RegExp(words.map((word) => word.replace(/[^\w]/g, "\\$&")).join("|"), "gi");
  let end = 0;
  for (const found of text.matchAll(pattern)) {
    const mark = document.createElement("mark");
    mark.textContent = found[0];
    line.append(text.slice(end, found.index), mark);
    end = found.index + found[0].length;
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
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  results.hidden = words.length === 0;
  if (words.length === 0) return results.replaceChildren();
  if (sections === null) return results.replaceChildren("Loading …");
  const found = sections.map((section) => [score(section, words), section])
    .filter(([points]) => points > 0).sort((a, b) => b[0] - a[0]).slice(0, mostResults);
  results.replaceChildren(...(found.length ? found.map(([, section]) => resultOf(section, words)) : ["No match"]));
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
