// Constants of `_math.as.ts`. Newer V8 builds a literal vector anew at each use within a loop, and the one of Node 20 spills what it loads there.
// So they come from globals, once, before a loop; and they are exported and mutable, so that nobody folds them: a module that uses them
// exports all of this file again.

/** 1.5 * 2^23 + 127: what is added to it is rounded to an integer, whose bits, as an exponent, are then the lowest of the sum. */
export let magic: f32 = 12583039;
export let log2e: f32 = 1.44269504;
/** ln 2 in two parts, so that products of the first with integers are exact. */
export let ln2High: f32 = 0.693359375;
export let ln2Low: f32 = -2.12194440e-4;
/** The exponent whose bits are those of 0. */
export let leastExponent: f32 = -127;
/** Where exp is 0, and where it is infinite. */
export let expLeast: f32 = -104;
export let expMost: f32 = 89;
/** Where exp(x) - 1 is -1. */
export let expm1Least: f32 = -25;
/** (exp(r) - 1 - r) / r^2 on [-ln 2 / 2, ln 2 / 2], of least relative error of exp: 3e-9. */
export let exp6: f32 = 0.001381454025;
export let exp5: f32 = 0.008368745160;
export let exp4: f32 = 0.04166839079;
export let exp3: f32 = 0.1666652040;
export let exp2: f32 = 0.4999999343;
/** (2^f - 1) / f on [-1/2, 1/2], of least relative error of the power: 1e-7. */
export let power5: f32 = 0.001326467277;
export let power4: f32 = 0.009671555260;
export let power3: f32 = 0.05550734259;
export let power2: f32 = 0.2402224143;
export let power1: f32 = 0.6931469771;

/** (log(1 + r) - r + r^2 / 2) / r^3 on [sqrt(1/2) - 1, sqrt(2) - 1]: the coefficients of the Cephes library. */
export let log8: f32 = 7.0376836292e-2;
export let log7: f32 = -1.1514610310e-1;
export let log6: f32 = 1.1676998740e-1;
export let log5: f32 = -1.2420140846e-1;
export let log4: f32 = 1.4249322787e-1;
export let log3: f32 = -1.6668057665e-1;
export let log2: f32 = 2.0000714765e-1;
export let log1: f32 = -2.4999993993e-1;
export let log0: f32 = 3.3333331174e-1;
/** Bits of sqrt(1/2). */
export let rootHalf: i32 = 0x3f3504f3;
export let mantissa: i32 = 0x007fffff;
/** The least normal number, and what makes the ones below normal. */
export let leastNormal: f32 = 1.17549435e-38;
export let raise: f32 = 8388608;
export let raised: f32 = 23;
export let infinite: f32 = Infinity;
