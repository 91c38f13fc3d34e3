// Tabs after the ARIA pattern: arrows move, the address's hash names the open one, panels hear deck:shown.
function select(list, tab, focus) {
  for (const each of list.querySelectorAll("[role=tab]")) {
    const chosen = each === tab;
    each.setAttribute("aria-selected", String(chosen));
    each.tabIndex = chosen ? 0 : -1;
    document.getElementById(each.getAttribute("aria-controls")).hidden = !chosen;
  }
  // Where the tabs do not all fit, the open one is in sight; the page itself stays where it is.
  const left = tab.offsetLeft - list.offsetLeft;
  if (left + tab.offsetWidth > list.scrollLeft + list.clientWidth || left < list.scrollLeft) list.scrollLeft = left - list.clientWidth / 2;
  if (focus) tab.focus();
  document.getElementById(tab.getAttribute("aria-controls")).dispatchEvent(new CustomEvent("deck:shown"));
}

// The hash is not the panel's id, or the browser would scroll to it. What follows a slash is the panel's own matter.
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
