// Runs what the first paint need not wait for, such as a look into the browser's storage: opening it takes 10 ms.
export function afterPaint(start) {
  // A hidden page is not painted.
  if (document.hidden) start();
  else requestAnimationFrame(() => setTimeout(start));
}

// Makes what is costly when it is first used, such as a formatter for a language, and keeps it.
export function once(make) {
  let made;
  return () => (made ??= make());
}
