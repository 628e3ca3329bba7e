"""Every test speaks English unless it says otherwise; nothing reaches the user's own keyring."""

import os

os.environ["CRMSYNC_LANG"] = "en"
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
