// A layer that multiplies by a weight and an option, sound or with one defect.
import { keep, mul, scalar, tidy, type serialization, type Tensor } from '@tensorflow/tfjs-core';
import { initializers, layers, type LayerVariable } from '@tensorflow/tfjs-layers';

type Args = NonNullable<ConstructorParameters<typeof layers.Layer>[0]> & { factor?: number };
type Shape = (number | null)[];

export class Scale extends layers.Layer {
  static readonly className: string = 'TestScale';
  protected readonly factor: number;
  protected gamma: LayerVariable | undefined;

  constructor(args: Args = {}) {
    super(args);
    this.factor = args.factor ?? 1;
  }

  override build(shape: Shape | Shape[]): void {
    const last = (shape as Shape).at(-1)!;
    this.gamma = this.addWeight('gamma', [last], 'float32', initializers.ones());
    super.build(shape);
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    const [x] = Array.isArray(inputs) ? inputs : [inputs];
    return tidy(() => mul(mul(x!, this.gamma!.read()), this.factor));
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), factor: this.factor };
  }
}

/** Says nothing of its option. */
export class Forgetful extends Scale {
  static override readonly className = 'TestForgetful';

  override getConfig(): serialization.ConfigDict {
    const { factor: _, ...rest } = super.getConfig();
    return rest;
  }
}

/** Says its option and does not take it back. */
export class Deaf extends Scale {
  static override readonly className = 'TestDeaf';

  static override fromConfig<T extends serialization.Serializable>(
    cls: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const { factor: _, ...rest } = config;
    return new cls(rest);
  }
}

/** Keeps what no configuration tells. */
export class Moody extends Scale {
  static override readonly className = 'TestMoody';
  private static made = 0;
  private readonly mood = 1 + Moody.made++;

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tidy(() => mul(super.call(inputs), this.mood));
  }
}

/** Forgets a tensor at every call. */
export class Leaky extends Scale {
  static override readonly className = 'TestLeaky';

  override call(inputs: Tensor | Tensor[]): Tensor {
    keep(scalar(1));
    return super.call(inputs);
  }
}

/** Announces another shape than it gives. */
export class Boastful extends Scale {
  static override readonly className = 'TestBoastful';

  override computeOutputShape(shape: Shape | Shape[]): Shape {
    return [...(shape as Shape).slice(0, -1), 99];
  }
}

/** Holds a tensor that does not go with it. */
export class Hoarder extends Scale {
  static override readonly className = 'TestHoarder';

  override build(shape: Shape | Shape[]): void {
    keep(scalar(1));
    super.build(shape);
  }
}
