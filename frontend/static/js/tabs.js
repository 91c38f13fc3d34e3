// Tabs as in the ARIA pattern: arrows move, the hash of the address names the open tab, panels get deck:shown.
function select(list, tab, focus) {
  for (const each of list.querySelectorAll("[role=tab]")) {
    const chosen = each === tab;
    each.setAttribute("aria-selected", String(chosen));
    each.tabIndex = chosen ? 0 : -1;
    document.getElementById(each.getAttribute("aria-controls")).hidden = !chosen;
  }
  // Scroll the open tab into view if the tabs do not all fit; the page itself does not scroll.
  const left = tab.offsetLeft - list.offsetLeft;
  if (left + tab.offsetWidth > list.scrollLeft + list.clientWidth || left < list.scrollLeft) list.scrollLeft = left - list.clientWidth / 2;
  if (focus) tab.focus();
  document.getElementById(tab.getAttribute("aria-controls")).dispatchEvent(new CustomEvent("deck:shown"));
}

// The hash differs from the id of the panel, or the browser would scroll to it. The part after a slash belongs to the
// panel.
const hashOf = (tab) => `#${tab.getAttribute("aria-controls").replace("panel-", "")}`;

const MOVES = {
  ArrowRight: (at, count) => (at + 1) % count,
  ArrowLeft: (at, count) => (at + count - 1) % count,
  Home: () => 0,
  End: (at, count) => count - 1,
};

export function startTabs(list) {
  const tabs = [...list.querySelectorAll("[role=tab]")];
  const open = (tab, focus = false) => {
    history.replaceState(history.state, "", tab === tabs[0] ? location.pathname + location.search : hashOf(tab));
    select(list, tab, focus);
  };
  const openByHash = () => {
    const named = tabs.find((tab) => hashOf(tab) === location.hash.split("/")[0]);
    if (named) select(list, named, false);
  };
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) open(tab);
  });
  list.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    open(tabs[move(tabs.indexOf(document.activeElement), tabs.length)], true);
  });
  addEventListener("hashchange", openByHash);
  openByHash();
}
