// The exponential moving average of TensorBoard's scalars tab, with the bias correction of Adam. Gaps stay gaps and do
// not enter the average.
export function smoothed(values, weight) {
  let mean = 0;
  let steps = 0;
  return values.map((value) => {
    if (value === null) return null;
    steps += 1;
    mean = mean * weight + (1 - weight) * value;
    return mean / (1 - weight ** steps);
  });
}
