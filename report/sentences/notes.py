"""What a reader of a row should know: key of a note -> its sentence (see ``NOTES`` in runners/contract.py)."""

from __future__ import annotations

from report.text import N_

NOTES = {
    "lstm-scale": N_(
        "A window reaches the net as logarithms minus their mean, so nothing outside the window is fitted. "
        "The settings were chosen on the last train year."
    ),
    "lstm-aug-published": N_(
        "Published augmentation: the training pairs (x, y) together with (x², y²), (x+0.2, y+0.2), (x-0.3, y-0.3) "
        "and (1-x, 1-y), on the scale 0 to 1."
    ),
    "lstm-aug-here": N_(
        "Augmentation here: the passengers of each training window and its target raised to the powers {powers}, with "
        "the window's geometric mean kept. A shift or a factor would cancel out in the scale that this net uses."
    ),
    "median-of-seeds": N_("Median of {seeds} seeds."),
    "bilstm-change": N_("The Bi-LSTM forecasts the change from the last minute: an output of zero is persistence."),
    "bilstm-part": N_(
        "Trained on the last {windows} windows before the split and scored on the first {minutes} minutes after it, "
        "not on the complete series."
    ),
    "test-minutes": N_("Scored on {minutes} test minutes."),
    "test-images": N_("Scored on {images} test images."),
    "batch-of-16": N_(
        "Batches of 16, as in the run behind the published figures, although the published legend says 32 throughout."
    ),
    "trained-to-target": N_(
        "Trained for {epochs} epochs on {images} images in {seconds} s: accuracy {accuracy}, so the target of {target} "
        "was reached."
    ),
    "trained-without-target": N_(
        "Trained for {epochs} epochs on {images} images in {seconds} s: accuracy {accuracy}, so the target of {target} "
        "was not reached."
    ),
    "interrupted": N_("Training was interrupted {times} times and continued from its checkpoint."),
    "ar-ols-slips": N_("With truth and forecast in their right places, R² would be {r2}."),
    "ar-ols-is-ar": N_("Computed correctly, AR(OLS) equals AR: the same least squares from another library."),
    "sarimax-extra": N_(
        "Not on the published page: the airline model of Box and Jenkins, fitted with the tool that is usual today."
    ),
    "filled-minutes": N_("A missing minute has the value of the same minute one day before."),
    "images-from-tree": N_("Read from a folder of images: {train} for training, {test} for testing."),
    "images-random": N_("Generated images in place of the real ones, which could not be fetched."),
}
