// The site without a network: what has been kept is shown where the network does not answer. The build fills in version and files.
const version = 'VERSION';
const files = ['FILES'];
const name = `evenkeel-${version}`;

/** Files that carry a hash of their content in their name do not change. */
const isFixed = (url) => url.pathname.includes('/assets/');

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(name)
      .then((cache) => cache.addAll(files))
      .then(() => self.skipWaiting()),
  );
});

async function removeOld() {
  for (const other of await caches.keys()) if (other.startsWith('evenkeel-') && other !== name) await caches.delete(other);
  await self.clients.claim();
}

self.addEventListener('activate', (event) => event.waitUntil(removeOld()));

async function fromNetwork(request) {
  const response = await fetch(request);
  if (response.ok) await (await caches.open(name)).put(request, response.clone());
  return response;
}

async function answer(request) {
  const url = new URL(request.url);
  const kept = await caches.match(request, { ignoreSearch: true });
  if (kept && isFixed(url)) return kept;
  try {
    return await fromNetwork(request);
  } catch (error) {
    // A folder's address stands for its index.
    const found = kept ?? (url.pathname.endsWith('/') ? await caches.match(`${url.pathname}index.html`) : undefined);
    if (found) return found;
    throw error;
  }
}

self.addEventListener('fetch', (event) => {
  const { method, url } = event.request;
  if (method === 'GET' && url.startsWith(self.location.origin)) event.respondWith(answer(event.request));
});
