/** Lets the browser keep the site, where it can. Without it everything works, but needs the network. */
export function startOffline(base: string): void {
  if (import.meta.env.DEV || !('serviceWorker' in navigator)) return;
  addEventListener('load', () => {
    navigator.serviceWorker.register(`${base}sw.js`).catch((error: unknown) => console.warn('The site will not work offline:', error));
  });
}
