# Wrong answers to the exercises of notebook 05, as students write them. Each block begins with the
# exercise's name and a part of the message that the check must answer with.

# %% replay: one epoch too long
def replay(curve, patience):
    best, best_epoch, wait = float("inf"), 0, 0
    for epoch, value in enumerate(curve, start=1):
        if value < best:
            best, best_epoch, wait = value, epoch, 0
        else:
            wait += 1
            if wait > patience:
                break
    return epoch, best_epoch

# %% replay: you return the last epoch in place of the best
def replay(curve, patience):
    best, wait = float("inf"), 0
    for epoch, value in enumerate(curve, start=1):
        if value < best:
            best, wait = value, 0
        else:
            wait += 1
            if wait >= patience:
                break
    return epoch, epoch

# %% replay: the direction is reversed
def replay(curve, patience):
    best, best_epoch, wait = -float("inf"), 0, 0
    for epoch, value in enumerate(curve, start=1):
        if value > best:
            best, best_epoch, wait = value, epoch, 0
        else:
            wait += 1
            if wait >= patience:
                break
    return epoch, best_epoch

# %% replay: sets `wait` back to 0
def replay(curve, patience):
    best, best_epoch, wait = float("inf"), 0, 0
    for epoch, value in enumerate(curve, start=1):
        if value < best:
            best, best_epoch = value, epoch
        else:
            wait += 1
            if wait >= patience:
                break
    return epoch, best_epoch

# %% replay: count epochs from 1
def replay(curve, patience):
    best, best_epoch, wait = float("inf"), 0, 0
    for epoch, value in enumerate(curve):
        if value < best:
            best, best_epoch, wait = value, epoch, 0
        else:
            wait += 1
            if wait >= patience:
                break
    return epoch, best_epoch

# %% replay: with the epoch before
def replay(curve, patience):
    before, best_epoch, wait = float("inf"), 0, 0
    for epoch, value in enumerate(curve, start=1):
        if value < before:
            best_epoch, wait = epoch, 0
        else:
            wait += 1
            if wait >= patience:
                break
        before = value
    return epoch, best_epoch

# %% mend: stopped it (patience 0)
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("val_loss", patience=0, restore_best_weights=True)
    return model.fit(
        images, labels, epochs=epochs, validation_data=validation_data, callbacks=[stop], verbose=0
    )

# %% mend: stopped it (patience 2)
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    return model.fit(
        images, labels, epochs=epochs, validation_data=validation_data, callbacks=[stop], verbose=0
    )

# %% mend: has the weights of epoch 35
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("val_loss", patience=5)
    return model.fit(
        images, labels, epochs=epochs, validation_data=validation_data, callbacks=[stop], verbose=0
    )

# %% mend: is the direction reversed?
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("val_loss", patience=5, mode="max", restore_best_weights=True)
    return model.fit(
        images, labels, epochs=epochs, validation_data=validation_data, callbacks=[stop], verbose=0
    )

# %% mend: watches something else
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("loss", patience=5, restore_best_weights=True)
    return model.fit(
        images, labels, epochs=epochs, validation_data=validation_data, callbacks=[stop], verbose=0
    )

# %% mend: mended_fit raised ValueError
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("val_acc", patience=5, restore_best_weights=True)
    return model.fit(
        images, labels, epochs=epochs, validation_data=validation_data, callbacks=[stop], verbose=0
    )

# %% mend: class weights
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)
    return model.fit(
        images, labels, epochs=epochs, class_weight={0: 0.5, 1: 0.5}, validation_data=validation_data, callbacks=[stop], verbose=0
    )

# %% mend: the number of epochs
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)
    return model.fit(
        images, labels, epochs=10, validation_data=validation_data, callbacks=[stop], verbose=0
    )

# %% up3: ends of strips
def up3(validation, strip=5):
    rises = 0
    for epoch in range(1, len(validation)):
        rises = rises + 1 if validation[epoch] > validation[epoch - 1] else 0
        if rises == 3:
            return epoch + 1
    return len(validation)

# %% up3: in a row
def up3(validation, strip=5):
    rises, ends = 0, validation[strip - 1 :: strip]
    for k in range(1, len(ends)):
        rises += ends[k] > ends[k - 1]
        if rises == 3:
            return (k + 1) * strip
    return len(validation)

# %% up3: that is UP₂
def up3(validation, strip=5):
    rises, ends = 0, validation[strip - 1 :: strip]
    for k in range(1, len(ends)):
        rises = rises + 1 if ends[k] > ends[k - 1] else 0
        if rises == 2:
            return (k + 1) * strip
    return len(validation)

# %% up3: the first strip ends with epoch
def up3(validation, strip=5):
    rises, ends = 0, validation[::strip]
    for k in range(1, len(ends)):
        rises = rises + 1 if ends[k] > ends[k - 1] else 0
        if rises == 3:
            return k * strip + 1
    return len(validation)

# %% up3: not with the lowest
def up3(validation, strip=5):
    rises = 0
    for end in range(2 * strip, len(validation) + 1, strip):
        rises = rises + 1 if validation[end - 1] > min(validation[: end - 1]) else 0
        if rises == 3:
            return end
    return len(validation)

# %% budget: costs more epochs than the budget
from course_utils.stopping import early_stopping

def choose_patience(validation, second, budget):
    found = {}
    for patience in range(1, 11):
        runs = [early_stopping(curve, patience=patience) for curve in validation]
        found[patience] = np.mean([row[run.best_epoch - 1] for row, run in zip(second, runs)])
    return min(found, key=found.get)

# %% budget: the validation loss has chosen the epochs already
from course_utils.stopping import early_stopping

def choose_patience(validation, second, budget):
    found = {}
    for patience in range(1, 11):
        runs = [early_stopping(curve, patience=patience) for curve in validation]
        if np.mean([len(run.states) for run in runs]) <= budget:
            losses = [run.best for run in runs]
            found[patience] = np.mean(losses)
    return min(found, key=found.get)

# %% budget: judge the best epoch, not the last one
from course_utils.stopping import early_stopping

def choose_patience(validation, second, budget):
    found = {}
    for patience in range(1, 11):
        runs = [early_stopping(curve, patience=patience) for curve in validation]
        if np.mean([len(run.states) for run in runs]) <= budget:
            losses = [row[len(run.states) - 1] for row, run in zip(second, runs)]
            found[patience] = np.mean(losses)
    return min(found, key=found.get)

# %% budget: mean over the rows
from course_utils.stopping import early_stopping

def choose_patience(validation, second, budget):
    found = {}
    for patience in range(1, 11):
        runs = [early_stopping(curve, patience=patience) for curve in validation]
        if max(len(run.states) for run in runs) <= budget:
            losses = [row[run.best_epoch - 1] for row, run in zip(second, runs)]
            found[patience] = np.mean(losses)
    return min(found, key=found.get, default=1)

# %% replay: the number of epochs comes first
def replay(curve, patience):
    best, best_epoch, wait = float("inf"), 0, 0
    for epoch, value in enumerate(curve, start=1):
        if value < best:
            best, best_epoch, wait = value, epoch, 0
        else:
            wait += 1
            if wait >= patience:
                break
    return best_epoch, epoch

# %% replay: only what was trained
def replay(curve, patience):
    best, wait = float("inf"), 0
    for epoch, value in enumerate(curve, start=1):
        if value < best:
            best, wait = value, 0
        else:
            wait += 1
            if wait >= patience:
                break
    return epoch, int(np.argmin(curve)) + 1

# %% replay: curve (10,), patience 0, the result should be 3, 2
def replay(curve, patience):
    best_epoch = int(np.argmin(curve)) + 1
    return min(best_epoch + patience, len(curve)), best_epoch

# %% mend: call model.fit once: it was called 0 times
def mended_fit(model, images, labels, validation_data, epochs):
    return keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)

# %% mend: return what fit returns
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    model.fit(images, labels, epochs=epochs, validation_data=validation_data, callbacks=[stop])
    return model

# %% mend: hand validation_data on
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    return model.fit(images, labels, epochs=epochs, validation_split=0.2, callbacks=[stop])

# %% mend: too patient (patience 50)
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping(patience=50, restore_best_weights=True)
    return model.fit(
        images, labels, epochs=epochs, validation_data=validation_data, callbacks=[stop]
    )

# %% mend: never stops
def mended_fit(model, images, labels, validation_data, epochs):
    return model.fit(images, labels, epochs=epochs, validation_data=validation_data)

# %% up3: an equal end is no rise
def up3(validation, strip=5):
    rises, ends = 0, validation[strip - 1 :: strip]
    for k in range(1, len(ends)):
        rises = rises + 1 if ends[k] >= ends[k - 1] else 0
        if rises == 3:
            return (k + 1) * strip
    return len(validation)

# %% up3: need not be 5 epochs long
def up3(validation, strip=5):
    rises, ends = 0, validation[4::5]
    for k in range(1, len(ends)):
        rises = rises + 1 if ends[k] > ends[k - 1] else 0
        if rises == 3:
            return (k + 1) * 5
    return len(validation)

# %% up3: up3 returned None
def up3(validation, strip=5):
    rises, ends = 0, validation[strip - 1 :: strip]
    for k in range(1, len(ends)):
        rises = rises + 1 if ends[k] > ends[k - 1] else 0
        if rises == 3:
            return (k + 1) * strip

# %% budget: exactly the budget is allowed
from course_utils.stopping import early_stopping

def choose_patience(validation, second, budget):
    found = {}
    for patience in range(1, 11):
        runs = [early_stopping(curve, patience=patience) for curve in validation]
        if np.mean([len(run.states) for run in runs]) < budget:
            losses = [row[run.best_epoch - 1] for row, run in zip(second, runs)]
            found[patience] = np.mean(losses)
    return min(found, key=found.get)
