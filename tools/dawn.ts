// Before all tests in Node, and in programs that use WebGPU there: import this first.
import { useSwiftShader } from './vulkan.mjs';

useSwiftShader();
