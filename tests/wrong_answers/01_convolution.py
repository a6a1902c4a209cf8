# Wrong answers to the exercises of notebook 01, as students write them. Each block begins with the
# exercise's name and a part of the message that the check must answer with.

# %% sizes: the result should be
def input_sizes(size, kernel_size, strides, padding):
    sizes = [n for n in range(kernel_size, 500) if (n + 2 * padding - kernel_size) // strides + 1 == size]
    return sizes[0], sizes[-1]

# %% sizes: the result should be
def input_sizes(size, kernel_size, strides, padding):
    return 5, 6

# %% sizes: the result should be
def input_sizes(size, kernel_size, strides, padding):
    sizes = [n for n in range(1, 10) if (n + 2 * padding - kernel_size) // strides + 1 == size]
    return (sizes[0], sizes[-1]) if sizes else (0, 0)

# %% strided: raised ValueError: operands could not be broadcast
def strided_corr2d(image, kernel, stride, padding):
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(image, padding), (len(kernel),) * 2)
    return (windows * kernel).sum(axis=(2, 3))[::stride, ::stride]

# %% strided: changes its argument number 1
def strided_corr2d(image, kernel, stride, padding):
    image -= image.mean()
    return image[: len(kernel), : kernel.shape[1]]

# %% strided: the number at [
def strided_corr2d(image, kernel, stride, padding):
    windows = np.lib.stride_tricks.sliding_window_view(np.abs(np.pad(image, padding)), kernel.shape)
    return (windows * kernel).sum(axis=(2, 3))[::stride, ::stride]

# %% refusal: should be 'accepted': got 'refused'
def ask_keras(strides, dilation_rate):
    if strides > 1 or dilation_rate > 1:
        return "refused"
    return "accepted"

# %% refusal: the result should be '`strides > 1` not supported
def ask_keras(strides, dilation_rate):
    return "accepted"

# %% refusal: got "ValueError(
def ask_keras(strides, dilation_rate):
    try:
        keras.layers.Conv2D(1, 3, strides=strides, dilation_rate=dilation_rate)
    except ValueError as error:
        return repr(error)
    return "accepted"

# %% refusal: returned None
def ask_keras(strides, dilation_rate):
    try:
        keras.layers.Conv2D(1, 3, strides=strides, dilation_rate=dilation_rate)
        return "accepted"
    except ValueError as error:
        print(error)

# %% refusal: must be text: got Conv2D
def ask_keras(strides, dilation_rate):
    try:
        return keras.layers.Conv2D(1, 3, strides=strides, dilation_rate=dilation_rate)
    except ValueError as error:
        return str(error)

# %% diagonal: a plain area
diagonal_kernel = np.eye(3)

# %% diagonal: the other diagonal
diagonal_kernel = (2 * np.eye(3) - 1)[::-1]

# %% diagonal: a vertical line
diagonal_kernel = np.array([[-1, 2, -1]] * 3)

# %% diagonal: a horizontal line
diagonal_kernel = np.array([[-1, 2, -1]] * 3).T

# %% diagonal: does not react to the diagonal from top left
diagonal_kernel = np.diag([2, 3, 4, 3, 2]) * -1

# %% diagonal: only 4.98 times
diagonal_kernel = [[1, -2, -2], [-2, 3, -2], [-2, -2, 0.98]]

# %% diagonal: 3×3 to 7×7: got the shape (9, 9)
diagonal_kernel = 2 * np.eye(9) - 1

# %% gradient: the number at [
def input_gradient(upstream, kernel, stride, shape):
    gradient = np.zeros(shape)
    rows, columns = kernel.shape
    values = iter(upstream.T.flat)  # from left to right first, then down
    for y in range(upstream.shape[0]):
        for x in range(upstream.shape[1]):
            top, left = y * stride, x * stride
            gradient[top : top + rows, left : left + columns] += next(values) * kernel
    return gradient

# %% gradient: the number at [
def input_gradient(upstream, kernel, stride, shape):
    gradient, upstream = np.zeros(shape), np.abs(upstream)
    rows, columns = kernel.shape
    for y in range(upstream.shape[0]):
        for x in range(upstream.shape[1]):
            top, left = y * stride, x * stride
            gradient[top : top + rows, left : left + columns] += upstream[y, x] * kernel
    return gradient
