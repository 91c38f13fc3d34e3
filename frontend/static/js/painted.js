// Run what the first paint does not need, such as access to the storage of the browser, which takes 10 ms to open.
export function afterPaint(start) {
  // A hidden page is not painted.
  if (document.hidden) start();
  else requestAnimationFrame(() => setTimeout(start));
}

// Create what is expensive on first use, such as a number formatter, and keep it.
export function once(make) {
  let made;
  return () => (made ??= make());
}
