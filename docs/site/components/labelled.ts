/** A chart as one picture with its words. Its marks have labels of Plot's, which say nothing to who cannot see them, and are not allowed there. */
export function labelled<Chart extends HTMLElement | SVGElement>(chart: Chart, label: string): Chart {
  for (const mark of chart.querySelectorAll('[aria-label]')) mark.removeAttribute('aria-label');
  chart.setAttribute('role', 'img');
  chart.setAttribute('aria-label', label);
  return chart;
}
