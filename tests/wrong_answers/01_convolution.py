# Wrong answers to the exercises of notebook 01, as students write them. Each block begins with the
# exercise's name and a part of the message that the check must answer with.

# %% sizes: on both sides
def input_sizes(size, kernel_size, strides, padding):
    smallest = (size - 1) * strides + kernel_size - padding
    return smallest, smallest + strides - 1

# %% sizes: larger inputs give the same
def input_sizes(size, kernel_size, strides, padding):
    smallest = (size - 1) * strides + kernel_size - 2 * padding
    return smallest, smallest

# %% sizes: one too far
def input_sizes(size, kernel_size, strides, padding):
    smallest = (size - 1) * strides + kernel_size - 2 * padding
    return smallest, smallest + strides

# %% sizes: one window too many
def input_sizes(size, kernel_size, strides, padding):
    smallest = size * strides + kernel_size - 2 * padding
    return smallest, smallest + strides - 1

# %% sizes: stride is ignored
def input_sizes(size, kernel_size, strides, padding):
    smallest = size - 1 + kernel_size - 2 * padding
    return smallest, smallest + strides - 1

# %% refusal: let the exception through
def ask_keras(strides, dilation_rate):
    keras.layers.Conv2D(1, 3, strides=strides, dilation_rate=dilation_rate)
    return "accepted"

# %% refusal: one of them alone
def ask_keras(strides, dilation_rate):
    if strides > 1 or dilation_rate > 1:
        return "refused"
    return "accepted"

# %% refusal: Keras' own sentence
def ask_keras(strides, dilation_rate):
    try:
        keras.layers.Conv2D(1, 3, strides=strides, dilation_rate=dilation_rate)
    except ValueError:
        return "refused"
    return "accepted"

# %% refusal: as text
def ask_keras(strides, dilation_rate):
    try:
        keras.layers.Conv2D(1, 3, strides=strides, dilation_rate=dilation_rate)
    except ValueError as error:
        return error
    return "accepted"

# %% refusal: dilation is confused with the stride
def ask_keras(strides, dilation_rate):
    try:
        keras.layers.Conv2D(1, 3, strides=strides, dilation_rate=strides)
    except ValueError as error:
        return str(error)
    return "accepted"

# %% conv2d: the kernel is flipped
def conv2d(image, kernel, strides, padding, dilation_rate):
    k, filters = kernel.shape[0], kernel.shape[3]
    span = dilation_rate * (k - 1) + 1
    if padding == "same":
        pads = []
        for n in image.shape[:2]:
            total = max((-(-n // strides) - 1) * strides + span - n, 0)
            pads.append((total // 2, total - total // 2))
        image = np.pad(image, [*pads, (0, 0)])
    height, width = [(n - span) // strides + 1 for n in image.shape[:2]]
    output = np.zeros((height, width, filters))
    for y in range(height):
        for x in range(width):
            rows = slice(y * strides, y * strides + span, dilation_rate)
            columns = slice(x * strides, x * strides + span, dilation_rate)
            output[y, x] = np.tensordot(image[rows, columns][::-1, ::-1], kernel, 3)
    return output

# %% conv2d: is one too small
def conv2d(image, kernel, strides, padding, dilation_rate):
    k, filters = kernel.shape[0], kernel.shape[3]
    span = dilation_rate * (k - 1) + 1
    if padding == "same":
        pads = []
        for n in image.shape[:2]:
            total = max((-(-n // strides) - 1) * strides + span - n, 0)
            pads.append((total // 2, total - total // 2))
        image = np.pad(image, [*pads, (0, 0)])
    height, width = [(n - span) // strides for n in image.shape[:2]]
    output = np.zeros((height, width, filters))
    for y in range(height):
        for x in range(width):
            rows = slice(y * strides, y * strides + span, dilation_rate)
            columns = slice(x * strides, x * strides + span, dilation_rate)
            output[y, x] = np.tensordot(image[rows, columns], kernel, 3)
    return output

# %% conv2d: the padding is off by one
def conv2d(image, kernel, strides, padding, dilation_rate):
    k, filters = kernel.shape[0], kernel.shape[3]
    span = dilation_rate * (k - 1) + 1
    if padding == "same":
        pads = []
        for n in image.shape[:2]:
            total = max((-(-n // strides) - 1) * strides + span - n, 0) + 1
            pads.append((total // 2, total - total // 2))
        image = np.pad(image, [*pads, (0, 0)])
    height, width = [(n - span) // strides + 1 for n in image.shape[:2]]
    output = np.zeros((height, width, filters))
    for y in range(height):
        for x in range(width):
            rows = slice(y * strides, y * strides + span, dilation_rate)
            columns = slice(x * strides, x * strides + span, dilation_rate)
            output[y, x] = np.tensordot(image[rows, columns], kernel, 3)
    return output

# %% conv2d: all the zeros are on one side
def conv2d(image, kernel, strides, padding, dilation_rate):
    k, filters = kernel.shape[0], kernel.shape[3]
    span = dilation_rate * (k - 1) + 1
    if padding == "same":
        pads = []
        for n in image.shape[:2]:
            total = max((-(-n // strides) - 1) * strides + span - n, 0)
            pads.append((0, total))
        image = np.pad(image, [*pads, (0, 0)])
    height, width = [(n - span) // strides + 1 for n in image.shape[:2]]
    output = np.zeros((height, width, filters))
    for y in range(height):
        for x in range(width):
            rows = slice(y * strides, y * strides + span, dilation_rate)
            columns = slice(x * strides, x * strides + span, dilation_rate)
            output[y, x] = np.tensordot(image[rows, columns], kernel, 3)
    return output

# %% conv2d: the odd zero goes to the bottom
def conv2d(image, kernel, strides, padding, dilation_rate):
    k, filters = kernel.shape[0], kernel.shape[3]
    span = dilation_rate * (k - 1) + 1
    if padding == "same":
        pads = []
        for n in image.shape[:2]:
            total = max((-(-n // strides) - 1) * strides + span - n, 0)
            pads.append((total - total // 2, total // 2))
        image = np.pad(image, [*pads, (0, 0)])
    height, width = [(n - span) // strides + 1 for n in image.shape[:2]]
    output = np.zeros((height, width, filters))
    for y in range(height):
        for x in range(width):
            rows = slice(y * strides, y * strides + span, dilation_rate)
            columns = slice(x * strides, x * strides + span, dilation_rate)
            output[y, x] = np.tensordot(image[rows, columns], kernel, 3)
    return output

# %% conv2d: the stride is ignored
def conv2d(image, kernel, strides, padding, dilation_rate):
    k, filters = kernel.shape[0], kernel.shape[3]
    span = dilation_rate * (k - 1) + 1
    if padding == "same":
        pads = []
        for n in image.shape[:2]:
            total = max((-(-n // strides) - 1) * strides + span - n, 0)
            pads.append((total // 2, total - total // 2))
        image = np.pad(image, [*pads, (0, 0)])
    height, width = [(n - span) // strides + 1 for n in image.shape[:2]]
    output = np.zeros((height, width, filters))
    for y in range(height):
        for x in range(width):
            rows = slice(y, y + span, dilation_rate)
            columns = slice(x, x + span, dilation_rate)
            output[y, x] = np.tensordot(image[rows, columns], kernel, 3)
    return output

# %% conv2d: channels and filters are swapped
def conv2d(image, kernel, strides, padding, dilation_rate):
    k, filters = kernel.shape[0], kernel.shape[3]
    span = dilation_rate * (k - 1) + 1
    if padding == "same":
        pads = []
        for n in image.shape[:2]:
            total = max((-(-n // strides) - 1) * strides + span - n, 0)
            pads.append((total // 2, total - total // 2))
        image = np.pad(image, [*pads, (0, 0)])
    height, width = [(n - span) // strides + 1 for n in image.shape[:2]]
    output = np.zeros((height, width, filters))
    for y in range(height):
        for x in range(width):
            rows = slice(y * strides, y * strides + span, dilation_rate)
            columns = slice(x * strides, x * strides + span, dilation_rate)
            output[y, x] = np.tensordot(image[rows, columns], kernel.swapaxes(2, 3), 3)
    return output

# %% conv2d: dilation is confused with the stride
def conv2d(image, kernel, strides, padding, dilation_rate):
    k, filters = kernel.shape[0], kernel.shape[3]
    strides, dilation_rate = dilation_rate, strides
    span = dilation_rate * (k - 1) + 1
    if padding == "same":
        pads = []
        for n in image.shape[:2]:
            total = max((-(-n // strides) - 1) * strides + span - n, 0)
            pads.append((total // 2, total - total // 2))
        image = np.pad(image, [*pads, (0, 0)])
    height, width = [(n - span) // strides + 1 for n in image.shape[:2]]
    output = np.zeros((height, width, filters))
    for y in range(height):
        for x in range(width):
            rows = slice(y * strides, y * strides + span, dilation_rate)
            columns = slice(x * strides, x * strides + span, dilation_rate)
            output[y, x] = np.tensordot(image[rows, columns], kernel, 3)
    return output

# %% conv2d: the dilation is ignored
def conv2d(image, kernel, strides, padding, dilation_rate):
    k, filters = kernel.shape[0], kernel.shape[3]
    dilation_rate = 1
    span = dilation_rate * (k - 1) + 1
    if padding == "same":
        pads = []
        for n in image.shape[:2]:
            total = max((-(-n // strides) - 1) * strides + span - n, 0)
            pads.append((total // 2, total - total // 2))
        image = np.pad(image, [*pads, (0, 0)])
    height, width = [(n - span) // strides + 1 for n in image.shape[:2]]
    output = np.zeros((height, width, filters))
    for y in range(height):
        for x in range(width):
            rows = slice(y * strides, y * strides + span, dilation_rate)
            columns = slice(x * strides, x * strides + span, dilation_rate)
            output[y, x] = np.tensordot(image[rows, columns], kernel, 3)
    return output

# %% diagonal: a plain area
kernel = np.eye(3)

# %% diagonal: the other diagonal
kernel = (2 * np.eye(3) - 1)[::-1]

# %% diagonal: a vertical line
kernel = np.array([[-1, 2, -1]] * 3)

# %% diagonal: a horizontal line
kernel = np.array([[-1, 2, -1]] * 3).T

# %% diagonal: only 3.0 times
kernel = 2 * np.eye(3) - 1

# %% col2im: overwrite
def col2im(rows, height, width, kernel_size, strides):
    image = np.zeros((height, width))
    n = 0
    for top in range(0, height - kernel_size + 1, strides):
        for left in range(0, width - kernel_size + 1, strides):
            window = rows[n].reshape(kernel_size, kernel_size)
            image[top : top + kernel_size, left : left + kernel_size] = window
            n += 1
    return image

# %% col2im: the mean
def col2im(rows, height, width, kernel_size, strides):
    image = np.zeros((height, width))
    count = np.zeros((height, width))
    n = 0
    for top in range(0, height - kernel_size + 1, strides):
        for left in range(0, width - kernel_size + 1, strides):
            window = rows[n].reshape(kernel_size, kernel_size)
            image[top : top + kernel_size, left : left + kernel_size] += window
            count[top : top + kernel_size, left : left + kernel_size] += 1
            n += 1
    return image / np.maximum(count, 1)

# %% col2im: flipped
def col2im(rows, height, width, kernel_size, strides):
    image = np.zeros((height, width))
    n = 0
    for top in range(0, height - kernel_size + 1, strides):
        for left in range(0, width - kernel_size + 1, strides):
            window = rows[n].reshape(kernel_size, kernel_size)[::-1, ::-1]
            image[top : top + kernel_size, left : left + kernel_size] += window
            n += 1
    return image

# %% col2im: from left to right first
def col2im(rows, height, width, kernel_size, strides):
    image = np.zeros((height, width))
    n = 0
    for left in range(0, width - kernel_size + 1, strides):
        for top in range(0, height - kernel_size + 1, strides):
            window = rows[n].reshape(kernel_size, kernel_size)
            image[top : top + kernel_size, left : left + kernel_size] += window
            n += 1
    return image

# %% col2im: the stride is ignored
def col2im(rows, height, width, kernel_size, strides):
    image = np.zeros((height, width))
    columns = (width - kernel_size) // strides + 1
    for n, row in enumerate(rows):
        top, left = divmod(n, columns)
        image[top : top + kernel_size, left : left + kernel_size] += row.reshape(kernel_size, -1)
    return image
