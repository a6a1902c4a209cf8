# Right answers to the exercises of notebook 01, each written in another way than the reference.
# A block begins with the exercise's name and what is different about it.

# %% sizes: every size tried
def input_sizes(size, kernel_size, strides, padding):
    fits = [n for n in range(1, 500) if (n + 2 * padding - kernel_size) // strides + 1 == size]
    return [min(fits), max(fits)]

# %% sizes: other names, an array of float32
def input_sizes(n, k, s, p):
    return np.float32([(n - 1) * s + k - 2 * p, n * s + k - 2 * p - 1])

# %% sizes: a tensor
def input_sizes(size, kernel_size, strides, padding):
    smallest = (size - 1) * strides + kernel_size - 2 * padding
    return keras.ops.convert_to_tensor([smallest, smallest + strides - 1])

# %% strided: the window as a view, in float32
def strided_corr2d(x, k, s=1, p=0):
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, p), k.shape)[::s, ::s]
    return np.einsum("yxij,ij->yx", windows.astype("float32"), k.astype("float32"))

# %% strided: lists
def strided_corr2d(image, kernel, stride, padding):
    image = np.pad(image, [(padding, padding), (padding, padding)], mode="constant")
    rows, columns = kernel.shape
    return [
        [(image[y : y + rows, x : x + columns] * kernel).sum()
         for x in range(0, image.shape[1] - columns + 1, stride)]
        for y in range(0, image.shape[0] - rows + 1, stride)
    ]

# %% strided: scipy
def strided_corr2d(image, kernel, stride, padding):
    from scipy.signal import correlate2d
    return correlate2d(np.pad(image, padding), kernel, mode="valid")[::stride, ::stride]

# %% strided: Keras, a tensor of float32
def strided_corr2d(image, kernel, stride, padding):
    x = np.pad(image, padding)[None, :, :, None].astype("float32")
    return keras.ops.conv(x, kernel[:, :, None, None].astype("float32"), stride)[0, :, :, 0]

# %% refusal: arguments by position, any exception
def ask_keras(s, d):
    try:
        keras.layers.Conv2D(1, (3, 3), (s, s), dilation_rate=(d, d))
    except Exception as problem:
        return f"{problem}"
    else:
        return "accepted"

# %% diagonal: 3×3 without corners
diagonal_kernel = [[1, -1, -1], [-1, 3, -1], [-1, -1, 1]]

# %% diagonal: exactly 5 times
diagonal_kernel = np.array([[1, -2, -2], [-2, 3, -2], [-2, -2, 1]], "float32")

# %% diagonal: tiny numbers, a tensor
diagonal_kernel = keras.ops.convert_to_tensor(1e-6 * (np.diag([2.0, 3, 4, 3, 2]) - 1))

# %% diagonal: the largest
diagonal_kernel = 7 * np.eye(7, dtype=int) - 1

# %% gradient: spread out, then a full convolution
def input_gradient(upstream, kernel, stride, shape):
    spread = np.zeros((np.array(upstream.shape) - 1) * stride + 1)
    spread[::stride, ::stride] = upstream
    from scipy.signal import convolve2d
    small = convolve2d(spread, kernel)
    return np.pad(small, [(0, n - m) for n, m in zip(shape, small.shape)])

# %% gradient: through each weight, in float32
def input_gradient(g, k, s, size):
    out = np.zeros(size, "float32")
    for i, j in np.ndindex(*k.shape):
        out[i : i + s * g.shape[0] : s, j : j + s * g.shape[1] : s][: g.shape[0], : g.shape[1]] += k[i, j] * g
    return out

# %% gradient: by a tape
def input_gradient(upstream, kernel, stride, shape):
    import tensorflow as tf
    image = tf.zeros((1, *shape, 1))
    with tf.GradientTape() as tape:
        tape.watch(image)
        out = tf.nn.conv2d(image, kernel[:, :, None, None].astype("float32"), stride, "VALID")
    return tape.gradient(out, image, upstream[None, :, :, None].astype("float32"))[0, :, :, 0]
