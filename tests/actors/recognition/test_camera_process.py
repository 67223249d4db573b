"""What a camera process loads."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
CODE = """
import pickle, sys
from actors.camera import CameraActor
from cluster.build import camera_config, recognition_services
from cluster.settings import Settings
services = pickle.loads(pickle.dumps((recognition_services(Settings()), camera_config(Settings()))))
loaded = {"torch", "onnxruntime", "openvino", "onnx"} & set(sys.modules)
assert not loaded, loaded
"""


def test_a_camera_process_loads_no_inference_engine() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
