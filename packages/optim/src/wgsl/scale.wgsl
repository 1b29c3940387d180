// The scale of the gradient, of which the shader declares `scale` and params.has_scale.
fn scale_of() -> f32 {
  return select(1f, scale[0], params.has_scale != 0);
}
