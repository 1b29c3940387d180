/** 1 / (1 + exp(-t)). Bounded, since exp may be anything where it overflows; NaN is below nothing and stays. */
fn sigmoid(t: Item) -> Item {
  return 1 / (1 + exp(select(-t, Item(88), t < Item(-88))));
}
