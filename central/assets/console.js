// Fetches the live part of the page again every two seconds and puts only what changed in its place: a row that is
// being read, marked or copied stays as it is. A page that cannot renew says so: old figures look like true ones.
"use strict";
const every = 2000;
const live = document.getElementById("live");
const stale = document.getElementById("stale");
let etag = "";

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

async function renew() {
  try {
    const answer = await fetch(live.dataset.from, { headers: etag ? { "If-None-Match": etag } : {}, signal: AbortSignal.timeout(10000) });
    if (answer.status === 401) { location.reload(); return; }
    if (answer.status === 200) {
      const fresh = document.createElement("template");
      fresh.innerHTML = await answer.text();
      renewChildren(live, fresh.content);
      etag = answer.headers.get("ETag") || "";
    } else if (answer.status !== 304) {
      throw new Error(String(answer.status));
    }
    stale.classList.remove("on");
  } catch (_unreachable) {
    stale.classList.add("on");
  }
  setTimeout(renew, every);
}
setTimeout(renew, every);
