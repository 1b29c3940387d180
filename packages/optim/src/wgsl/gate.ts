import isFinite from './is-finite.wgsl.ts';
import scale from './scale.wgsl.ts';

/** Text for shaders that ask whether the scale of the gradient is finite. */
export const gate = /* @__PURE__ */ `${isFinite}${scale}`;
