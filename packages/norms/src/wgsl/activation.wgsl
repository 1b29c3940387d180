// The activation behind a norm, and dy times its slope, with sigmoid.wgsl. A uniform says which: all threads take the same branch.

/** The normal distribution function of z, given exp(-z^2 / 2): the approximation of erf by Abramowitz and Stegun, 7.1.26. */
fn distribution(z: Item, e: Item) -> Item {
  let t = 1 / (1 + 0.231641888 * abs(z));
  let tail = 0.5 * ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * e;
  return select(1 - tail, tail, z < Item(0));
}

/** exp(-z^2 / 2), bounded as in sigmoid. */
fn bell(z: Item) -> Item {
  let half_square = 0.5 * z * z;
  return exp(-select(half_square, Item(87), half_square > Item(87)));
}

/** Beyond 10 gelu's form with tanh is z or 0, and the cube must not overflow. */
fn near(z: Item) -> Item {
  return select(select(z, Item(10), z > Item(10)), Item(-10), z < Item(-10));
}

fn activate(z: Item, activation: u32) -> Item {
  switch activation {
    case 1: { return select(z, Item(0), z < Item(0)); }
    case 2: { return z * sigmoid(z); }
    case 3: { return z * distribution(z, bell(z)); }
    case 4: {
      let v = near(z);
      return z * sigmoid(v * (1.5957691216 + 0.0713548163 * v * v));
    }
    default: { return z; }
  }
}

/** dy f'(z). */
fn deactivate(z: Item, dy: Item, activation: u32) -> Item {
  switch activation {
    case 1: { return select(Item(0), dy, z > Item(0)); }
    case 2: {
      let s = sigmoid(z);
      return dy * s * (1 + z * (1 - s));
    }
    case 3: {
      let e = bell(z);
      return dy * (distribution(z, e) + z * e * 0.3989422804);
    }
    case 4: {
      let v = near(z);
      let s = sigmoid(v * (1.5957691216 + 0.0713548163 * v * v));
      return dy * s * (1 + v * (1.5957691216 + 0.2140644489 * v * v) * (1 - s));
    }
    default: { return dy; }
  }
}
