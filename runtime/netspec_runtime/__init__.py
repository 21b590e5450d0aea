"""What runs after the compiler: data, training, evaluation, inference. Never imports netspec."""

import os

# onnxruntime reads it while it is imported: from then on it would keep an id of this machine in the home folder.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
