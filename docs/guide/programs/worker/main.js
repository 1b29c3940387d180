const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });

worker.addEventListener('message', ({ data }) => {
  document.body.textContent = `${data.backend}: ${data.y.flat().map(Math.round).join()}`; // wasm: -1,1
});
worker.postMessage([[1, 3]]);
