// All that core touches of tfjs beyond its documented interface.
import { engine, type Tensor } from '@tensorflow/tfjs-core';

interface Engine {
  isTapeOn(): boolean;
}

/** Whether a gradient tape records what is called now. */
export function isRecording(): boolean {
  return (engine() as unknown as Engine).isTapeOn();
}

/** Runs a registered kernel; several outputs come as an array. */
export function runKernel(name: string, inputs: Record<string, Tensor>, attrs: object): Tensor | Tensor[] {
  return engine().runKernel(name, inputs, attrs as Record<string, never>) as Tensor | Tensor[];
}
