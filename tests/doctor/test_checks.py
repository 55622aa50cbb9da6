"""What is found in environments that are made up."""

from dataclasses import replace
from importlib import metadata

import pytest

from graphkit.doctor import examine
from graphkit.doctor.checks import (
    CHECKS,
    broken_imports,
    cuda,
    damaged_packages,
    known_versions,
    providers,
    readable,
    requirements,
    rival_packages,
)
from graphkit.doctor.checks.tested import TESTED
from graphkit.doctor.environment import Imported, Package, ProviderTry, Reads, canonical, family
from tests.doctor.made_up import CPU, CUDA, broken, gpu, healthy, imports, package, runtime, without

NO_LIBRARY = (
    "\x1b[1;31m2026-01-01 10:00:00.0 [E:onnxruntime:Default, provider_bridge_ort.cc:1992 TryGetProviderInfo_CUDA] "
    "Failed to load library libonnxruntime_providers_cuda.so with error: libcublasLt.so.12: cannot open shared object "
    "file: No such file or directory\x1b[m"
)


def test_a_healthy_environment_is_healthy() -> None:
    checkup = examine(healthy())
    assert not checkup.broken
    assert {finding.level for finding in checkup.findings} == {"ok"}
    assert len(checkup.findings) >= len(CHECKS) - 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("onnxruntime", "onnxruntime"),
        ("onnxruntime-gpu", "onnxruntime"),
        ("onnxruntime-extensions", ""),
        ("onnxruntime-genai", ""),
        ("opencv-python-headless", "opencv-python"),
        ("opencv-contrib-python", "opencv-python"),
        ("onnx", ""),
    ],
)
def test_family(name: str, expected: str) -> None:
    assert family(name) == expected
    assert canonical("Onnx_Graph.Surgeon") == "onnx-graph-surgeon"


class TestRivals:
    def test_two_runtimes_and_whose_files_there_are(self) -> None:
        environment = healthy(Package("onnxruntime-gpu", "1.31.0", (), {"onnxruntime/b.so": (300, 100)}))
        (one,) = broken(rival_packages(environment))
        assert one.text.startswith(
            "onnxruntime 1.32.0 and onnxruntime-gpu 1.31.0 are installed beside each other and write the same files "
            "(1 of them; on disk are those of onnxruntime)"
        )
        assert one.mend == "pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu"

    def test_a_mixture(self) -> None:
        environment = healthy(runtime("onnxruntime-openvino", there=7))
        damaged = {**environment.packages, "onnxruntime": runtime("onnxruntime", there=7)}
        environment = replace(environment, packages=damaged)
        assert "on disk is a mixture" in broken(rival_packages(environment))[0].text

    def test_folders_of_their_own(self) -> None:
        found = broken(rival_packages(healthy(runtime("onnxruntime-gpu"))))
        assert "(2 of them; they lie in folders of their own, and Python takes the first)" in found[0].text

    def test_the_one_that_is_asked_for_stays(self) -> None:
        environment = healthy(runtime("onnxruntime-gpu"), runtime("onnxruntime-openvino"))
        wanted = replace(environment, wanted=("OpenVINOExecutionProvider",))
        assert broken(rival_packages(wanted))[0].mend.endswith("pip install onnxruntime-openvino")
        assert broken(rival_packages(environment))[0].mend == (
            "pip uninstall -y onnxruntime onnxruntime-gpu onnxruntime-openvino && pip install onnxruntime-gpu"
        )

    def test_none_at_all(self) -> None:
        (one,) = broken(rival_packages(without(healthy(), "onnxruntime")))
        assert one.mend == "pip install onnxruntime"

    def test_others_of_the_name_are_no_rivals(self) -> None:
        assert not broken(rival_packages(healthy(package("onnxruntime-extensions", "0.14"))))

    def test_opencv_too(self) -> None:
        environment = healthy(package("opencv-python", "4.10"), package("opencv-python-headless", "4.10"))
        assert broken(rival_packages(environment))[0].mend.endswith("&& pip install opencv-python-headless")


class TestDamaged:
    def test_files_that_another_took(self) -> None:
        environment = without(healthy(runtime("onnxruntime-gpu", "1.31.0", there=None)), "onnxruntime")
        (one,) = damaged_packages(environment)
        assert "1 files of onnxruntime-gpu 1.31.0 are not those that it installed (1 are missing" in one.text
        assert one.mend == "pip install --force-reinstall --no-deps onnxruntime-gpu==1.31.0"

    def test_files_of_another_length(self) -> None:
        environment = without(healthy(runtime("onnxruntime-gpu", there=99)), "onnxruntime")
        assert "(0 are missing; onnxruntime/b.so is one)" in damaged_packages(environment)[0].text

    def test_rivals_are_said_once(self) -> None:
        assert damaged_packages(healthy(runtime("onnxruntime-gpu", there=None))) == []


class TestImports:
    def test_what_was_built_for_numpy_1(self) -> None:
        said = "A module that was compiled using NumPy 1.x cannot be run in\nNumPy 2.4.6 as it may crash."
        environment = imports(healthy(package("onnxsim", "0.4")), onnxsim=Imported(said=said))
        (one,) = broken(broken_imports(environment))
        assert one.text == (
            "onnxsim 0.4 (or something it imports) was built for NumPy 1 and cannot be used with NumPy 2.4.6."
        )
        assert "'numpy<2'" in one.mend

    def test_generated_code_that_does_not_fit_protobuf(self) -> None:
        error = "TypeError: Descriptors cannot be created directly."
        (one,) = broken(broken_imports(imports(healthy(), onnx=Imported(error))))
        assert "does not fit protobuf 7.36.2" in one.text
        assert one.mend == "pip install -U onnx protobuf"

    def test_a_process_that_went_down(self) -> None:
        (one,) = broken(broken_imports(imports(healthy(), onnx=Imported("the process ended with signal 11"))))
        assert one.text == "onnx 1.23.2 cannot be imported (the process ended with signal 11)."
        assert one.mend == "pip install --force-reinstall --no-deps onnx==1.23.2"

    def test_a_module_that_is_not_there(self) -> None:
        environment = healthy()
        rest = {name: one for name, one in environment.imports.items() if name != "onnxsim"}
        (one,) = broken(broken_imports(replace(environment, imports=rest)))
        assert one.mend == "pip install onnxsim"

    def test_the_runtime_by_the_name_that_it_has(self) -> None:
        environment = imports(gpu(healthy()), onnxruntime=Imported("ImportError: DLL load failed"))
        assert broken(broken_imports(environment))[0].text.startswith("onnxruntime-gpu 1.32.0 cannot be imported")


class TestProviders:
    def test_one_that_this_build_lacks(self) -> None:
        environment = replace(
            healthy(), wanted=(CUDA,), providers={CUDA: ProviderTry(False, False), CPU: ProviderTry(True, True)}
        )
        (one,) = broken(providers(environment))
        assert one.text == f"{CUDA} is not in this onnxruntime (it has {CPU}); onnxruntime-gpu brings it."
        assert one.mend == "pip uninstall -y onnxruntime && pip install onnxruntime-gpu"

    def test_one_that_nobody_knows(self) -> None:
        tried = {"CudaProvider": ProviderTry(False, False)}
        environment = replace(healthy(), wanted=("CudaProvider",), providers=tried)
        assert "nor known" in broken(providers(environment))[0].text

    def test_one_whose_library_is_missing(self) -> None:
        environment = replace(
            gpu(healthy()), wanted=(CUDA,), providers={CUDA: ProviderTry(True, False, NO_LIBRARY)}, driver="12.8"
        )
        (one,) = broken(providers(environment))
        assert one.text == f"{CUDA} is there and does not load: libcublasLt.so.12 is missing."
        assert one.mend == "pip install 'onnxruntime-gpu[cuda,cudnn]'"
        assert "nvidia-smi" in broken(providers(replace(environment, driver="")))[0].mend

    def test_the_same_where_nobody_asks(self) -> None:
        environment = replace(
            gpu(healthy()), providers={CUDA: ProviderTry(True, False, NO_LIBRARY), CPU: ProviderTry(True, True)}
        )
        found = providers(environment)
        assert [one.level for one in found] == ["ok", "note"]
        assert "does no harm" in found[1].text

    def test_the_cpu_is_always_needed(self) -> None:
        said = "EP Error something\n[ONNXRuntimeError] : 6 : no memory"
        (one,) = broken(providers(replace(healthy(), providers={CPU: ProviderTry(True, False, said)})))
        assert "no memory" in one.text

    def test_what_could_not_be_tried_is_not_passed_over(self) -> None:
        environment = replace(healthy(), wanted=(CUDA,), providers={})
        assert "could not be tried" in broken(providers(environment))[0].text


class TestCuda:
    def test_none_is_fine_on_the_cpu(self) -> None:
        (one,) = cuda(healthy())
        assert one.text == "no NVIDIA driver; this onnxruntime is built without CUDA."

    def test_libraries_of_another_version(self) -> None:
        environment = gpu(healthy(package("nvidia-cublas", "13.1.1"), package("nvidia-cudnn-cu13", "9.24.0")))
        driven = replace(environment, driver="13.0")
        (one,) = broken(cuda(driven))
        assert one.text == "onnxruntime needs the libraries of CUDA 12, and there are those of CUDA 13."
        assert broken(cuda(environment)) == []  # nobody asks for a GPU, and there is none
        assert len(broken(cuda(replace(environment, wanted=(CUDA,))))) == 1
        right = replace(driven, libraries=("libcublas.so.12",))
        assert broken(cuda(right)) == []

    def test_a_driver_that_is_too_old(self) -> None:
        environment = replace(gpu(healthy(package("nvidia-cublas-cu12", "12.8.3"))), driver="11.4")
        (one,) = broken(cuda(environment))
        assert "serves CUDA 11.4 and onnxruntime is built for 12.8" in one.text

    def test_what_torch_brings(self) -> None:
        torch = Imported(facts={"cuda": "13.0", "cudnn": "92400", "devices": "0"})
        environment = imports(gpu(healthy(package("nvidia-cublas-cu12", "12.8.3"))), torch=torch)
        found = cuda(environment)
        assert "torch for CUDA 13.0 with cuDNN 9.24.0" in found[0].text
        assert [one.level for one in found] == ["ok", "note"]


class TestReadable:
    def test_a_newer_ir_version_and_opset(self) -> None:
        found = readable(replace(healthy(), reads=Reads(13, 11, 26, 24)))
        assert [one.level for one in found] == ["note", "note"]
        assert found[0].text == (
            "onnx 1.23.2 can write IR version 13 and onnxruntime 1.32.0 reads IR version 11 at most: save models with "
            "ir_version=11."
        )
        assert "opset 24 or older" in found[1].text

    def test_nothing_at_all(self) -> None:
        assert broken(readable(replace(healthy(), reads=Reads(13, 0, 26, 0))))[0].mend == "pip install -U onnxruntime"

    def test_not_tried(self) -> None:
        assert readable(replace(healthy(), reads=None)) == []


class TestRequirements:
    def test_protobuf_that_onnx_does_not_take(self) -> None:
        environment = healthy(package("protobuf", "3.20.3"), package("old", "1.0", "protobuf<5"))
        (one,) = broken(requirements(environment))
        assert one.text == "onnx 1.23.2 asks for protobuf>=4.25.1, and protobuf 3.20.3 is installed."
        assert one.mend in ("pip install 'protobuf<5,>=4.25.1'", "pip install 'protobuf>=4.25.1,<5'")

    def test_two_that_no_version_contents(self) -> None:
        environment = healthy(package("protobuf", "4.25.3"), package("old", "1.0", "protobuf<3.21"))
        found = requirements(environment)
        assert [(one.level, one.mend) for one in found] == [("note", "pip install -U old protobuf")]

    def test_numpy_2_and_what_does_not_take_it(self) -> None:
        (one,) = requirements(healthy(package("cvlib", "0.1", "numpy<2.0")))
        assert (one.level, one.text) == ("note", "cvlib 0.1 asks for numpy<2.0, and numpy 2.4.6 is installed.")
        assert one.mend in ("pip install 'numpy<2.0,>=1.26'", "pip install 'numpy>=1.26,<2.0'")

    def test_what_does_not_concern_graphkit_is_left_to_others(self) -> None:
        assert [one.level for one in requirements(healthy(package("web", "1.0", "flask>=3")))] == ["ok"]

    def test_what_graphkit_needs_and_is_not_there(self) -> None:
        (one,) = broken(requirements(without(healthy(), "protobuf")))
        assert "and it is not installed" in one.text

    def test_another_onnxruntime_is_an_onnxruntime(self) -> None:
        assert [one.level for one in requirements(gpu(healthy()))] == ["ok"]
        old = gpu(healthy())
        old = replace(old, packages={**old.packages, "onnxruntime-gpu": runtime("onnxruntime-gpu", "1.18.0")})
        assert "asks for onnxruntime>=1.22, and onnxruntime 1.18.0 is installed" in broken(requirements(old))[0].text

    def test_requirements_that_cannot_be_read_are_passed_over(self) -> None:
        assert [one.level for one in requirements(healthy(package("odd", "1", "numpy (>=1.0", "???")))] == ["ok"]


class TestTested:
    def test_older_and_the_same_are_fine(self) -> None:
        environment = healthy(package("torch", "2.1.0+cpu"), package("ultralytics", TESTED["ultralytics"]))
        assert [one.level for one in known_versions(environment)] == ["ok"]

    def test_newer_is_said(self) -> None:
        (_, one) = known_versions(healthy(package("torch", TESTED["torch"]), package("ultralytics", "99.0")))
        assert one.level == "note"
        assert "graphkit verify" in one.text
        assert one.mend == f"pip install ultralytics=={TESTED['ultralytics']}"

    def test_neither_is_needed(self) -> None:
        assert known_versions(healthy())[0].text.startswith("torch and ultralytics are not installed")

    @pytest.mark.parametrize("name", TESTED)
    def test_the_list_keeps_up_with_this_suite(self, name: str) -> None:
        try:
            version = metadata.version(name).partition("+")[0]
        except metadata.PackageNotFoundError:
            pytest.skip(f"{name} is not installed")
        newer = [one for one in known_versions(healthy(package(name, version))) if one.level == "note"]
        assert not newer, f"the suite runs with {name} {version}: put it into TESTED"
