// The page: asks the service, shows its answers, and says what has moved.

const PAGE = 10;
const LENGTH = 10;
const SECONDS = 3600;

const element = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const score = new Intl.NumberFormat("en", { minimumFractionDigits: 3, maximumFractionDigits: 3 });

let market = null; // what /about says
let user = null;
let chosen = null; // the item that is explained
let offset = 0;
let asked = 0; // a late answer to an old question is dropped
let shown = new Map(); // item -> rank, of the ranking on the page

// ---- the service ----

async function ask(path, body) {
  const headers = { Accept: "application/json" };
  const key = sessionStorage.getItem("key");
  if (key) headers["X-API-Key"] = key;
  if (body) headers["Content-Type"] = "application/json";
  const method = body ? "POST" : "GET";
  const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const content = await answer.json();
  if (answer.ok) return content;
  const error = new Error(content.detail || `status ${answer.status}`);
  error.status = answer.status;
  throw error;
}

function query(path, values) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const one of [value].flat()) if (one !== null && one !== undefined) parameters.append(name, one);
  }
  return `${path}?${parameters}`;
}

// Runs what was asked for, and says what went wrong.
async function attempt(action) {
  try {
    element("error").hidden = true;
    await action();
  } catch (error) {
    element("error").textContent = error.message;
    element("error").hidden = false;
    if (error.status === 401) element("key-form").hidden = false;
  }
}

// ---- pieces of the page ----

function make(tag, content, attributes = {}) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...[content].flat().filter((part) => part !== null));
  return made;
}

function button(label, name, action, attributes = {}) {
  const made = make("button", label, { type: "button", "aria-label": name, ...attributes });
  made.addEventListener("click", action);
  return made;
}

const isTitle = (name) => /^(title|name)$/i.test(name);
const isPrice = (name) => /price/i.test(name);

function written(name, value) {
  if (typeof value !== "number") return String(value);
  return /year|date|^id$/i.test(name) ? String(value) : number.format(value);
}

function titleOf(row) {
  const name = Object.keys(row.attributes).find((one) => isTitle(one) && row.attributes[one] !== null);
  return name ? String(row.attributes[name]) : `Item ${row.item}`;
}

// A number says nothing without its name; text mostly does.
function factOf(name, value) {
  return typeof value === "string" ? value : `${name.replaceAll("_", " ")} ${written(name, value)}`;
}

function factsOf(row) {
  const facts = Object.entries(row.attributes).filter(([name, value]) => value !== null && !isTitle(name));
  // What things cost comes first.
  facts.sort((one, other) => isPrice(other[0]) - isPrice(one[0]));
  const spans = facts.map(([name, value]) =>
    make("span", factOf(name, value), isPrice(name) ? { class: "price" } : { title: name }));
  return spans.flatMap((span, place) => (place ? [" · ", span] : [span]));
}

// How an item has moved, in words: an arrow alone says nothing to many.
function moveOf(before, rank) {
  if (before === undefined) return "+ new";
  if (before > rank) return `▲ up ${before - rank}`;
  if (before < rank) return `▼ down ${rank - before}`;
  return "";
}

function rowOf(row, before, actions) {
  const move = before.size ? moveOf(before.get(row.item), row.rank) : "";
  const parts = [
    make("span", String(row.rank), { class: "rank" }),
    make("span", titleOf(row), { class: "what" }),
    make("span", factsOf(row), { class: "facts" }),
    make("span", row.score === null ? "–" : score.format(row.score), { class: "score", title: "score" }),
    make("span", move, { class: "move" }),
    actions ? make("span", actions(row), { class: "actions" }) : null,
  ];
  return make("li", parts, { class: move ? "row moved" : "row", "data-item": row.item });
}

function show(list, rows, before, actions) {
  list.replaceChildren(...rows.map((row) => rowOf(row, before, actions)));
  if (!rows.length) list.append(make("li", "Nothing can be shown then.", { class: "quiet" }));
}

// ---- what users do ----

// One kind of action that buys and one that does not, as the log has them.
function kinds() {
  const others = market.behaviors.filter((kind) => !kind.purchase);
  const other = others.find((kind) => kind.name === "bid") || others[0];
  const buying = market.behaviors.find((kind) => kind.purchase);
  const found = other ? [{ label: other.name, behavior: other.name, purchase: false }] : [];
  return [...found, { label: "buy", behavior: buying ? buying.name : null, purchase: true }];
}

function actionsOf(row) {
  const acts = market.read_only ? [] : kinds().map((kind) =>
    button(capital(kind.label), `${capital(kind.label)} ${titleOf(row)}`, () => attempt(() => act(row, kind)), {
      "data-act": kind.label,
    }));
  const why = button("Why", `Why ${titleOf(row)} is at rank ${row.rank}`, () => attempt(() => explain(row, true)), {
    "data-act": "why",
    "aria-pressed": String(chosen?.item === row.item),
  });
  return [...acts, why];
}

const capital = (word) => word[0].toUpperCase() + word.slice(1);

async function act(row, kind) {
  const { behavior, purchase } = kind;
  const event = { user, item: row.item, behavior, purchase, key: crypto.randomUUID?.() ?? String(Math.random()) };
  const time = momentOf(1);
  if (time !== null) event.time = time;
  const answer = await ask("events", event);
  await refreshMarket();
  const told = answer.accepted ? `${user}: ${kind.label} of ${titleOf(row)}.` : "The event was left out.";
  await rank(told);
  restoreFocus(row.item, kind.label);
}

// The list is made anew; whoever uses the keyboard stays where they were.
function restoreFocus(item, label) {
  const row = [...element("ranking").children].find((one) => one.dataset.item === item);
  const target = row?.querySelector(`[data-act="${label}"]`) ?? element("ranking-heading");
  target.focus();
}

// ---- the ranking ----

// Seconds as the service takes them, or null for what it does by itself.
function momentOf(later) {
  if (element("time-now").checked) return null;
  return market.latest + Number(element("hours").value) * SECONDS + later;
}

function wish() {
  const now = element("time-now").checked;
  return {
    k: LENGTH,
    at: now ? "now" : momentOf(0),
    candidates: element("on-shelf").checked ? "on_shelf" : "all",
    attributes: market.attributes,
  };
}

async function rank(told) {
  if (user === null) return;
  const mine = ++asked;
  const path = `users/${encodeURIComponent(user)}/recommendations`;
  const answer = await ask(query(path, wish()));
  const without = await ask(query(path, { ...wish(), without_purchases: 1 }));
  if (mine !== asked) return;
  const before = told ? shown : new Map();
  shown = new Map(answer.items.map((row) => [row.item, row.rank]));
  element("ranking-heading").textContent = `Ranking for user ${user}`;
  show(element("ranking"), answer.items, before, actionsOf);
  element("news").textContent = told ? `${told} ${newsOf(before, answer.items)}` : "";
  showWithout(without.without_purchases ? without.items : []);
  if (chosen) await explain(chosen, false);
}

function newsOf(before, rows) {
  const moved = rows.filter((row) => moveOf(before.get(row.item), row.rank)).length;
  const gone = [...before.keys()].filter((item) => !shown.has(item)).length;
  if (!moved && !gone) return "No item on the list has moved.";
  const left = gone ? `, ${gone} left the list` : "";
  return `${moved} of ${rows.length} items moved${left}. First: ${rows.length ? titleOf(rows[0]) : "nothing"}.`;
}

function showWithout(rows) {
  element("without").hidden = false;
  element("no-purchase").hidden = rows.length > 0;
  const list = element("without-ranking");
  list.replaceChildren(...rows.map((row) => {
    const parts = [["rank", row.rank], ["what", titleOf(row)], ["move", movedTo(row)]];
    return make("li", parts.map(([name, text]) => make("span", String(text), { class: name })), { class: "row" });
  }));
}

// Where the purchase has moved an item to, from where it stands without it.
function movedTo(row) {
  const there = shown.get(row.item);
  if (there === undefined) return "▼ now off the list";
  const arrow = there < row.rank ? "▲ " : there > row.rank ? "▼ " : "";
  return `${arrow}now ${there}`;
}

// ---- the explanation ----

async function explain(row, moved) {
  chosen = row;
  const { at, candidates } = wish();
  const found = await ask(query("explain", { user, item: row.item, at, candidates }));
  if (chosen !== row) return;
  element("why-heading").textContent = `Why ${titleOf(row)}`;
  element("why").replaceChildren(...explained(found));
  for (const one of element("ranking").querySelectorAll('[data-act="why"]')) {
    one.setAttribute("aria-pressed", String(one.closest("li").dataset.item === row.item));
  }
  if (moved) element("why-heading").focus();
}

const signed = (value) => (value > 0 ? "+" : "") + score.format(value);
const share = (value) => `${number.format(100 * value)} %`;

function explained(found) {
  const parts = found.parts.map((part) => [part.name, part.detail, score.format(part.value), signed(part.value - part.typical)]);
  const proposals = found.proposals.slice(0, 5).map((one) =>
    [one.source, `${one.behavior ?? "event"} with item ${one.item}, ${one.ago}`, share(one.share)]);
  const taste = found.taste.slice(0, 5).map((one) =>
    [one.attribute, one.content === null ? "" : written(one.attribute, one.content), signed(one.value - one.typical)]);
  return [
    make("p", found.sentence),
    found.why_not ? make("p", `Of purchases: ${found.why_not}.`, { class: "quiet" }) : null,
    table("What its score is made of", ["Part", "Score", "Against typical"], parts),
    proposals.length ? table("What points to it", ["Source", "Share"], proposals) : null,
    taste.length ? table("Taste, by what the item is like", ["Attribute", "Against typical"], taste) : null,
  ].filter((piece) => piece !== null);
}

// Lines are a label, what goes under it, and figures.
function table(name, heads, lines) {
  const head = make("tr", heads.map((one) => make("th", one, { scope: "col" })));
  const rows = lines.map(([label, detail, ...figures]) => {
    const first = [capital(label.replaceAll("_", " ")), detail ? make("span", detail, { class: "quiet" }) : null];
    return make("tr", [make("th", first, { scope: "row" }), ...figures.map((one) => make("td", one))]);
  });
  return make("table", [make("caption", name), make("thead", head), make("tbody", rows)], { class: "parts" });
}

// ---- users ----

async function findUsers() {
  const prefix = element("prefix").value;
  const found = await ask(query("users", { prefix, limit: PAGE, offset }));
  element("users").replaceChildren(...found.names.map((name) => make("li", userButton(name))));
  const last = offset + found.names.length;
  element("found").textContent = found.total
    ? `${number.format(offset + 1)}–${number.format(last)} of ${number.format(found.total)} users`
    : "No user begins so.";
  element("previous").disabled = offset === 0;
  element("next").disabled = found.next === null;
}

function userButton(name) {
  return button(name, `User ${name}`, () => attempt(() => choose(name)), { "aria-pressed": String(name === user) });
}

async function choose(name) {
  user = name;
  chosen = null;
  element("why-heading").textContent = "Why";
  element("why").replaceChildren(make("p", "Choose “Why” at an item.", { class: "quiet" }));
  for (const one of element("users").querySelectorAll("button")) {
    one.setAttribute("aria-pressed", String(one.textContent === user));
  }
  await rank("");
  element("news").textContent = `Shown: the ranking for user ${user}.`;
}

function turn(pages) {
  offset = Math.max(0, offset + pages * PAGE);
  return attempt(findUsers);
}

// ---- time ----

function showMoment() {
  const hours = Number(element("hours").value);
  const seconds = market.latest + hours * SECONDS;
  const date = new Date(seconds * 1000);
  const moment = market.dated && !Number.isNaN(date.getTime())
    ? date.toISOString().slice(0, 16).replace("T", " ") + " UTC"
    : `second ${number.format(seconds)} of the log`;
  const later = `${Math.floor(hours / 24)} days ${hours % 24} hours after`;
  element("moment").textContent = `${moment} (${hours ? later : "the last event"})`;
  element("hours").setAttribute("aria-valuetext", element("moment").textContent);
  element("hours").disabled = element("time-now").checked;
}

async function refreshMarket() {
  market = await ask("about");
  const counts = [["events", market.position], ["users", market.users], ["items", market.items]];
  element("about").textContent =
    `${market.data}: ` + counts.map(([name, value]) => `${number.format(value)} ${name}`).join(", ");
  element("simulated").hidden = !market.simulated;
  showMoment();
}

// ---- beginning ----

function delayed(action, milliseconds) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds);
  };
}

function listen() {
  const again = () => attempt(() => rank(""));
  const search = delayed(() => { offset = 0; attempt(findUsers); }, 150);
  element("prefix").addEventListener("input", search);
  element("previous").addEventListener("click", () => turn(-1));
  element("next").addEventListener("click", () => turn(1));
  element("on-shelf").addEventListener("change", again);
  const later = delayed(() => attempt(() => rank("Time moved.")), 200);
  for (const id of ["time-now", "time-log", "hours"]) {
    element(id).addEventListener("input", () => { showMoment(); later(); });
  }
  element("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem("key", element("key").value);
    element("key-form").hidden = true;
    attempt(begin);
  });
}

async function begin() {
  // In a log that ended long ago, nothing is for sale now.
  element("time-log").checked = true;
  await refreshMarket();
  element("time-now").disabled = !market.dated;
  document.querySelector("main").hidden = false;
  await findUsers();
}

listen();
attempt(begin);
