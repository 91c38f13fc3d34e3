// The frame that TensorBoard's own page is in, which is of this origin: its reload button, its colours, its place.
const darkNow = () => {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

const TYPING = "input, textarea, select, [contenteditable]";
const fieldOf = (event) => event.composedPath()[0].closest?.(TYPING);

export class BoardFrame {
  // The events: onLoad once a page is in the frame, onPlace with TensorBoard's hash, onEscape.
  constructor(element, events) {
    Object.assign(this, { element, events, loadedAt: undefined, answeredAt: 0 });
    element.addEventListener("load", () => this.loaded());
    document.addEventListener("deck:theme", () => this.followTheme());
  }

  get isOpen() {
    return this.element.hasAttribute("src");
  }

  get window() {
    return this.element.contentWindow;
  }

  // What a proxy or the deck answers in its stead has no such element.
  get showsTensorBoard() {
    return Boolean(this.element.contentDocument?.querySelector("tb-webapp"));
  }

  // TensorBoard follows the system's colours, or those that its address names; a choice in its own menu comes first.
  address(hash) {
    return `${this.element.dataset.src}?darkMode=${darkNow()}${hash}`;
  }

  open(hash) {
    this.dark = darkNow();
    this.element.src = this.address(hash);
  }

  loaded() {
    if (!this.isOpen) return;
    this.loadedAt = performance.now();
    this.element.dataset.loaded = "";
    const { window } = this;
    this.answeredAt = 0;
    new window.PerformanceObserver((list) => this.timeReload(list.getEntries())).observe({ type: "resource" });
    window.addEventListener("keydown", (event) => this.noteEscape(event), true);
    window.addEventListener("keydown", (event) => this.escape(event));
    // Where a browser has no such events, the page's address keeps no place in TensorBoard.
    window.navigation?.addEventListener("currententrychange", () => this.tellPlace());
    this.tellPlace();
    this.events.onLoad();
  }

  tellPlace() {
    if (this.showsTensorBoard) this.events.onPlace(this.window.location.hash);
  }

  goTo(hash) {
    if (this.isOpen && this.window.location.hash !== hash) this.window.location.hash = hash;
  }

  // Before TensorBoard has the key: a field's list of suggestions lets nobody else see the Escape that closes it.
  noteEscape(event) {
    const field = event.key === "Escape" ? fieldOf(event) : undefined;
    this.isSecond = Boolean(field) && this.escaped === field;
    this.escaped = field;
  }

  // Menus and dialogs of TensorBoard have the key first. So has a field, which refuses it to others even where it has
  // no use for it: the second leaves nonetheless.
  escape(event) {
    const isFree = event.key === "Escape" && !event.defaultPrevented && !fieldOf(event);
    if (this.isSecond || isFree) this.events.onEscape();
  }

  // TensorBoard has no other way to change its colours at once; most of what is chosen in it stands in its address.
  followTheme() {
    if (!this.isOpen || this.dark === darkNow()) return;
    this.dark = darkNow();
    const address = new URL(this.window.location);
    address.searchParams.set("darkMode", this.dark);
    this.window.location.replace(address);
  }

  // TensorBoard's own button, so that what is open in it stays as it is. False where the open tab has no use for it,
  // undefined where it is not there yet.
  reloadData() {
    const button = this.element.contentDocument?.querySelector(".reload-button");
    if (!button) return undefined;
    this.reloadedAt = this.window.performance.now();
    this.answeredAt = 0;
    button.click();
    return !button.disabled;
  }

  timeReload(answers) {
    const data = answers.filter(({ name, startTime }) => name.includes("/data/") && startTime >= this.reloadedAt);
    this.answeredAt = Math.max(this.answeredAt, ...data.map((answer) => answer.responseEnd));
  }

  // How long the last reload's answers took; Infinity as long as there is none.
  get reloadMs() {
    return this.answeredAt ? this.answeredAt - this.reloadedAt : Infinity;
  }

  reloadPage() {
    this.window.location.reload();
  }
}
