// Fetches the live part of the page again and again and puts only what changed in its place: a row that is being read,
// marked or copied stays as it is. A page that cannot renew says so: old figures look like true ones.
//
// On a poor line it asks less often: never more than a fifth of the time is spent on asking, a page that nobody looks
// at does not ask at all, and after a failure the pauses double.
"use strict";
const shortest = 2000; // a fault at a printer is to be seen within four seconds
const longest = 60000; // who waits in front of a page that cannot renew looks at it once a minute
const patience = 20000; // a satellite line answers within a few seconds, or not at all
const share = 4; // pauses are at least so many times as long as the answer took
const live = document.getElementById("live");
const stale = document.getElementById("stale");
let etag = "";
let lastGood = Date.now();
let pause = shortest;
let isAsking = false;
let timer = 0;

// Where an element's keyed children are: in its table's body, in itself, or nowhere.
function rows(element) {
  const keyed = (parent) => parent.children.length > 0 && [...parent.children].every((child) => child.dataset.key);
  const body = element.querySelector("tbody");
  return body && keyed(body) ? body : keyed(element) ? element : null;
}

// The element without its rows, and the place where they were.
function shell(element) {
  const copy = element.cloneNode(true);
  const place = rows(copy);
  place.replaceChildren();
  return [copy, place];
}

function renewInto(present, wanted) {
  if (present.isEqualNode(wanted)) return;
  const [from, to] = [rows(present), rows(wanted)];
  if (!from || !to) {
    present.replaceWith(wanted);
    return;
  }
  const [[before], [after, place]] = [shell(present), shell(wanted)];
  renewChildren(from, to);
  if (from !== present && !before.isEqualNode(after)) {
    place.replaceWith(from);
    present.replaceWith(after);
  }
}

function renewChildren(present, wanted) {
  const known = new Map([...present.children].map((child) => [child.dataset.key, child]));
  let place = present.firstElementChild;
  for (const next of [...wanted.children]) {
    const old = known.get(next.dataset.key);
    if (!old) {
      present.insertBefore(next, place);
      continue;
    }
    known.delete(next.dataset.key);
    if (old === place) place = place.nextElementSibling;
    else present.insertBefore(old, place);
    renewInto(old, next);
  }
  for (const gone of known.values()) gone.remove();
}

function sayStale() {
  if (stale.textContent) return;
  const time = new Date(lastGood).toLocaleTimeString("id-ID", { hour: "2-digit", minute: "2-digit" });
  stale.textContent = `Halaman ini tidak dapat menghubungi pusat. Yang terlihat di bawah adalah keadaan pukul ${time} menurut jam komputer ini. Dicoba lagi dengan sendirinya; bila menetap, periksa jaringan.`;
  stale.classList.add("on");
}

// What had the focus keeps it, also where its row moved to another place.
function put(text) {
  const fresh = document.createElement("template");
  fresh.innerHTML = text;
  const focused = document.activeElement;
  renewChildren(live, fresh.content);
  if (live.contains(focused) && document.activeElement !== focused) focused.focus({ preventScroll: true });
}

// Whether the page goes on asking: one that was left for the sign-in does not.
async function ask() {
  const answer = await fetch(live.dataset.from, { cache: "no-store", headers: etag ? { "If-None-Match": etag } : {}, signal: AbortSignal.timeout(patience) });
  // Signed out, or what is shown is gone: the page itself says what is the case, and leads to the sign-in.
  if (answer.status === 401 || answer.status === 403 || answer.status === 404) {
    location.reload();
    return false;
  }
  if (answer.status === 200) {
    const tag = answer.headers.get("ETag");
    // A network that wants a sign-in of its own answers with a page of its own.
    if (answer.redirected || !tag) throw new Error("not central");
    put(await answer.text());
    etag = tag;
  } else if (answer.status !== 304) {
    throw new Error(String(answer.status));
  }
  return true;
}

async function renew() {
  clearTimeout(timer);
  if (isAsking || document.hidden) return;
  isAsking = true;
  const began = performance.now();
  try {
    if (!(await ask())) return;
    lastGood = Date.now();
    pause = Math.min(longest, Math.max(shortest, share * (performance.now() - began)));
    stale.textContent = "";
    stale.classList.remove("on");
  } catch (_unreachable) {
    pause = Math.min(longest, pause * 2);
    sayStale();
  } finally {
    isAsking = false;
  }
  timer = setTimeout(renew, pause);
}

for (const [what, where] of [["visibilitychange", document], ["online", window]]) where.addEventListener(what, renew);
timer = setTimeout(renew, shortest);
