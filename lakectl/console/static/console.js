"use strict";
// What htmx does not do: ask nothing while nobody looks, say when the console is gone, remember queries, follow a log.

const HISTORY_LENGTH = 50;

// An answer to a statement stays as it is.
function refresh(root) {
  root.querySelectorAll("[hx-trigger*='refresh']").forEach((part) => {
    if (!part.closest("#answer")) htmx.trigger(part, "refresh");
  });
}

// ---- Nothing is read from AWS for a tab that cannot be seen.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.detail.requestConfig.verb === "get") event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh(document);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-refresh]");
  if (button) refresh(document.querySelector(button.dataset.refresh));
});

// ---- The console has ended, or was started again: its pages know neither.
function lost(text) {
  const banner = document.getElementById("lost");
  banner.textContent = text;
  banner.hidden = !text;
}
document.addEventListener("htmx:sendError", () => {
  lost("The console does not answer: it has ended. Start it again: lakectl console, and open the link that it prints.");
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const status = event.detail.xhr.status;
  lost(status === 403 ? event.detail.xhr.responseText : "");
  if (status === 403 || status === 404) event.detail.shouldSwap = false;
});

// ---- What has not changed is not written again: a selection in it stays, and so does the place of a scrolled list.
const shown = new WeakMap();
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, requestConfig, serverResponse } = event.detail;
  if (requestConfig.elt !== target || !(target.getAttribute("hx-trigger") || "").includes("every")) return;
  if (shown.get(target) === serverResponse) event.detail.shouldSwap = false;
  shown.set(target, serverResponse);
});

// ---- The history of queries stays in this browser, a list for each lake.
const editor = document.getElementById("editor");
const historyKey = "lakectl.history." + document.body.dataset.lake;

function known() {
  try {
    const found = JSON.parse(localStorage.getItem(historyKey) || "[]");
    return Array.isArray(found) ? found.filter((each) => typeof each === "string") : [];
  } catch (error) {
    return []; // storage is switched off, or holds something else: then there is no history
  }
}
function remember(list) {
  try {
    localStorage.setItem(historyKey, JSON.stringify(list.slice(0, HISTORY_LENGTH)));
  } catch (error) {
    return; // switched off, or full
  }
  showHistory();
}
function showHistory() {
  const list = known();
  if (!list.length) return;
  document.getElementById("history").replaceChildren(
    ...list.map((sql) => {
      const link = document.createElement("a");
      link.href = "/query?sql=" + encodeURIComponent(sql);
      link.title = sql;
      link.textContent = sql.replace(/\s+/g, " ");
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        document.getElementById("sql").value = sql;
        document.getElementById("sql").focus();
      });
      const item = document.createElement("li");
      item.append(link);
      return item;
    })
  );
  document.getElementById("forget").hidden = false;
}
if (editor) {
  const area = document.getElementById("sql");
  showHistory();
  editor.addEventListener("htmx:beforeRequest", (event) => {
    const sql = area.value.trim();
    if (event.target === editor && sql) remember([sql, ...known().filter((each) => each !== sql)]);
  });
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      editor.requestSubmit();
    }
  });
  document.getElementById("forget").addEventListener("click", (event) => {
    localStorage.removeItem(historyKey);
    event.target.hidden = true;
    document.getElementById("history").replaceChildren();
  });
}

// ---- A log that is read at its end stays there as lines come.
const log = document.getElementById("log");
if (log) {
  let atEnd = true;
  log.addEventListener("scroll", () => {
    atEnd = log.scrollTop + log.clientHeight > log.scrollHeight - 30;
  });
  log.addEventListener("htmx:afterSettle", () => {
    if (atEnd) log.scrollTop = log.scrollHeight;
  });
}
