// The frame with the page of TensorBoard, which has the same origin: its reload button, its colors, its place.
const darkNow = () => {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

const TYPING = "input, textarea, select, [contenteditable]";
const fieldOf = (event) => event.composedPath()[0].closest?.(TYPING);

export class BoardFrame {
  // The events: onLoad after a page has loaded in the frame, onPlace with TensorBoard's hash, onEscape.
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

  // An error page of a proxy or of the deck has no such element.
  get showsTensorBoard() {
    return Boolean(this.element.contentDocument?.querySelector("tb-webapp"));
  }

  // TensorBoard uses the colors of the system, or those in its address; a choice in its own menu has priority.
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
    // In browsers without these events, the address of the page does not keep the place in TensorBoard.
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

  // Called before TensorBoard gets the key, because an open list of suggestions stops the Escape that closes it.
  noteEscape(event) {
    const field = event.key === "Escape" ? fieldOf(event) : undefined;
    this.isSecond = Boolean(field) && this.escaped === field;
    this.escaped = field;
  }

  // Menus, dialogs and fields of TensorBoard get the key first. A field stops every Escape, also one that it does not
  // use, so the second one in a row leaves the frame.
  escape(event) {
    const isFree = event.key === "Escape" && !event.defaultPrevented && !fieldOf(event);
    if (this.isSecond || isFree) this.events.onEscape();
  }

  // Load the page again: TensorBoard cannot change its colors otherwise, and its address holds most of what is chosen
  // in it.
  followTheme() {
    if (!this.isOpen || this.dark === darkNow()) return;
    this.dark = darkNow();
    const address = new URL(this.window.location);
    address.searchParams.set("darkMode", this.dark);
    this.window.location.replace(address);
  }

  // Press TensorBoard's own button, so that what is open in it stays open. Return false if the open tab cannot reload,
  // and undefined if the button does not exist yet.
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

  // Return how long the responses of the last reload took; Infinity before the first reload.
  get reloadMs() {
    return this.answeredAt ? this.answeredAt - this.reloadedAt : Infinity;
  }

  reloadPage() {
    this.window.location.reload();
  }
}
