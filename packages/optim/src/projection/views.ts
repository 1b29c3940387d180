import { keep, type Tensor } from '@tensorflow/tfjs-core';

/** What the last step took for scale-invariant: the rows of a weight, the weight as a whole, or neither. */
export type ProjectionView = 'none' | 'channel' | 'layer';

/** The decisions of the last step, on the device until somebody asks. */
export class ProjectionViews {
  readonly #views = new Map<string, Tensor>();

  set(name: string, view: Tensor | undefined): void {
    this.#views.get(name)?.dispose();
    if (view === undefined) this.#views.delete(name);
    else this.#views.set(name, keep(view));
  }

  async get(name: string): Promise<ProjectionView> {
    const view = await this.#views.get(name)?.data();
    return (['none', 'channel', 'layer'] as const)[view?.[0] ?? 0]!;
  }

  dispose(): void {
    for (const view of this.#views.values()) view.dispose();
    this.#views.clear();
  }
}
