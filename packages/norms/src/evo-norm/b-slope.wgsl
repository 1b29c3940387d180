/** How R changes with x: B0 v, B1 qi, B2 -1. */
fn slope_of(column: u32, root: Item) -> Item {
  if (params.variant == 1) {
    return root;
  }
  if (params.variant == 2) {
    return Item(-1);
  }
  if (params.has_v == 1) {
    return v[column];
  }
  return Item(1);
}
