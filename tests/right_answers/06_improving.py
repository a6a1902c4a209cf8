# Right answers to the exercises of notebook 06, each written in another way than the reference.
# A block begins with the exercise's name and what is different about it.

# %% real: SciPy's test
from scipy import stats
def judge(a, b):
    test = stats.ttest_rel(b, a)
    if test.pvalue >= 0.05:
        return "not clear"
    return "better" if test.statistic > 0 else "worse"

# %% real: the interval by hand
from scipy import stats
def judge(before, after):
    gains = [y - x for x, y in zip(before, after)]
    mean, n = sum(gains) / len(gains), len(gains)
    spread = (sum((g - mean) ** 2 for g in gains) / (n - 1)) ** 0.5
    half = stats.t.ppf(0.975, n - 1) * spread / n**0.5
    return ["worse", "not clear", "better"][int(mean > -half) + int(mean > half)]

# %% real: excludes_zero
import course_utils as cu
def judge(before, after):
    found = cu.metrics.paired(before, after)
    if not found.excludes_zero:
        return "not clear"
    return "worse" if found.estimate > 0 else "better"

# %% anomaly: a loop
def averages_after(m, v, momentum, steps):
    average = np.array([0, 1], "float32")
    for _ in range(steps):
        average = momentum * average + (1 - momentum) * np.array([m, v], "float32")
    return average

# %% anomaly: Keras' own layer
def averages_after(mean, variance, momentum, steps):
    norm = keras.layers.BatchNormalization(momentum=momentum)
    spread = variance**0.5
    batch = np.array([[mean - spread], [mean + spread]], "float32")
    for _ in range(steps):
        norm(batch, training=True)
    return [float(norm.moving_mean[0]), float(norm.moving_variance[0])]

# %% fold: float32, a loop over filters
def fold(k, b, g, t, m, v, e):
    k, b = k.astype("float32").copy(), b.astype("float32").copy()
    for n in range(len(b)):
        scale = g[n] / (v[n] + e) ** 0.5
        k[..., n] *= scale
        b[n] = (b[n] - m[n]) * scale + t[n]
    return [k, b]

# %% fold: tensors
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = keras.ops.rsqrt(keras.ops.cast(variance, "float32") + epsilon) * gamma
    return kernel * scale, scale * bias + (beta - scale * mean)

# %% budget: strides, compiled already, functional
def build():
    inputs = keras.Input((28, 28, 1))
    x = keras.layers.Conv2D(12, 5, strides=2, use_bias=False, padding="same")(inputs)
    x = keras.layers.BatchNormalization(momentum=0.8)(x)
    x = keras.layers.MaxPooling2D(2)(keras.layers.ReLU()(x))
    x = keras.layers.Conv2D(32, 3, padding="same", use_bias=False)(x)
    x = keras.layers.BatchNormalization(momentum=0.8)(x)
    x = keras.layers.MaxPooling2D(2, padding="same")(keras.layers.ReLU()(x))
    x = keras.layers.Dense(10, activation="softmax")(keras.layers.Flatten()(x))
    model = keras.Model(inputs, x)
    model.compile("sgd", "mse")
    return model
