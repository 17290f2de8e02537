# SPDX-License-Identifier: Apache-2.0
"""Several checkpoints of one run: each can be restored, and is the run (docs/checkpoints.md)."""
import json
import os
import random
import re
import shutil
import signal

from platform_run import RUN_TIMEOUT, PlatformTest, copy_sparse, ctest, main, wait_for

KILLS = int(os.environ.get("TANDEM_KILLS", "5"))
SEED = int(os.environ.get("TANDEM_SEED", "7"))


def two(machine, program, *parameters, slave="arm"):
    """Options for a master and a slave with the same program."""
    options = ["--master.machine", machine, "--slave.machine", slave,
               "--master.image", program, "--slave.image", program]
    for parameter in parameters:
        options += ["--param", parameter]
    return options


def members(chain):
    return sorted(os.path.join(chain, name) for name in os.listdir(chain) if name[0].isdigit())


def whole(chain):
    """Those that are not in the making."""
    return [m for m in members(chain) if not m.endswith(".partial")]


def manifest(member):
    with open(os.path.join(member, "manifest.json"), encoding="utf-8") as f:
        return json.load(f)


def made_at(member):
    return manifest(member)["time_ns"]


class Chain(PlatformTest):
    def save(self, options, *when, place="chain", **how):
        """The run that saves, and the checkpoints it has made."""
        chain = self.path(place)
        run = self.simulate(*options, *when, "--checkpoint", chain, **how)
        found = members(chain)
        self.assertIn(f"checkpoints: {len(found)} in {chain}, the last at ", run.stderr)
        self.assertEqual(sorted(os.listdir(chain)),
                         [os.path.basename(m) for m in found] + ["chain.json"])
        for number, member in enumerate(found, 1):
            self.assertEqual(os.path.basename(member), f"{number:04}-{made_at(member)}ns")
        return run, found

    def around(self, *options, count=4, status=0):
        """A run that saves about so often is the one that does not, and each restored run too."""
        full = self.simulate(*options, status=status)
        length = full.statistics()["simulated_ns"]
        period = length // (count + 1) + 1
        saver, chain = self.save(options, "--checkpoint-every", f"{period}ns", status=status)
        self.assert_same(full, saver)
        self.assertIn(len(chain), (count - 1, count))
        due = [made_at(member) // period for member in chain]
        self.assertEqual(due, sorted(set(due)))
        self.assertGreaterEqual(made_at(chain[0]), period)
        for member in chain:
            self.assert_same(full, self.simulate("--restore", member, status=status))
        return full, chain

    def test_x86_and_arm(self):
        self.around(*two("x86-pc", "messages", "count=80"), "--fifo-depth", 8)

    def test_riscv64_and_cortexm(self):
        self.around(*two("riscv64", "messages", "count=60", slave="cortexm"))

    def test_doorbells_of_aarch64(self):
        self.around(*two("aarch64", "ring", "n=300", slave="x86-q35"))

    def test_serial_and_every(self):
        self.around(*two("arm", "atomic", "n=20", "kind=add.4"), "--observe", "every",
                    "--interconnect", "bus", "--mode", "serial", "--quantum", "2us", count=3)

    def test_cache_model(self):
        self.around(*two("arm", "matmul"), "--observe", "cached", "--cache", "l1.size=4k",
                    "--cache", "fetches=on", "--interconnect", "bus", count=3)

    def test_ram_on_the_platform(self):
        self.around(*two("x86-pc", "messages", "count=60"), "--master.memory", "platform",
                    "--slave.memory", "platform", count=3)

    def test_shorter_than_a_long_window(self):
        # Several fall into one window, which is cut for each of them and counts as one.
        options = ("--slaves", 0, "--master.machine", "arm", "--master.image", "compute",
                   "--param", "n=200k")
        self.around(*options, count=12)

    def test_with_several_cpus(self):
        # Each checkpoint has their processes replaced; a run with the same ones is the saver.
        options = (*two("arm", "smp", "cpus=3", "1.cpus=2", "1.exit=0", "n=60", "1.n=60"),
                   "--master.cpus", 3, "--slave.cpus", 2, "--quantum", "1us")
        length = self.simulate(*options).statistics()["simulated_ns"]
        when = ("--checkpoint-every", f"{length // 9}ns")  # the saver may be shorter
        saver, chain = self.save(options, *when)
        self.assertGreater(len(chain), 2)
        for place, member in (("first", chain[0]), ("later", chain[-2])):
            again, _ = self.save(("--restore", member), *when, place=place)
            self.assert_same(saver, again)

    @ctest(once=True)
    def test_at_several_times(self):
        options = two("arm", "ring", "n=300")
        full = self.simulate(*options)
        length = full.statistics()["simulated_ns"]
        times = [length // 5, length // 2, length * 4 // 5]
        listed = ",".join(f"{t}ns" for t in times)
        saver, chain = self.save(options, "--checkpoint-at", listed)
        self.assert_same(full, saver)
        self.assertEqual(len(chain), 3)
        for member, at in zip(chain, times):
            self.assertGreaterEqual(made_at(member), at)
            self.assertLess(made_at(member), at + 200000)
        ended, chain = self.save(options, "--checkpoint-at", listed, "--checkpoint-exit")
        self.assertEqual(ended.statistics()["simulated_ns"], made_at(chain[-1]))
        late = self.refused(*options, "--checkpoint-at", listed + f",{length * 2}ns",
                            "--checkpoint", self.path("late"))
        self.assertIn("only 3 in " + self.path("late"), late)

    @ctest(once=True)
    def test_after_a_mark_and_when_asked(self):
        options = two("arm", "marks", "n=20k", "rounds=4", "0.sleep=300000", "1.ask=1")
        full = self.simulate(*options)
        marks = full.statistics()["marks"]["list"]
        asked = next(m["time_ns"] for m in marks if m["number"] == 0xffffffff)
        saver, chain = self.save(options, "--checkpoint-at", "mark:100", "--checkpoint-every",
                                 "300us")
        self.assert_same(full, saver)
        first = next(m["time_ns"] for m in marks if m["number"] == 100)
        self.assertGreaterEqual(made_at(chain[0]), min(first, asked))
        self.assertTrue(any(asked <= made_at(m) < asked + 200000 for m in chain))
        for member in chain:
            self.assert_same(full, self.simulate("--restore", member))

    @ctest(once=True)
    def test_from_a_restored_run(self):
        options = two("arm", "ring", "n=300")
        full = self.simulate(*options)
        length = full.statistics()["simulated_ns"]
        when = ("--checkpoint-every", f"{length // 5}ns")
        _, chain = self.save(options, *when)
        saver, second = self.save(("--restore", chain[1]), *when, place="second")
        self.assert_same(full, saver)
        self.assertEqual([made_at(m) for m in second], [made_at(m) for m in chain[2:]])
        for member in second:
            self.assert_same(full, self.simulate("--restore", member))
        # Into the chain that it is from it would replace what it begins with.
        self.assertIn("this chain", self.refused("--restore", chain[1], *when, "--checkpoint",
                                                 self.path("chain")))
        self.assertEqual(members(self.path("chain")), chain)

    # ---- what changed

    def disk(self, member):
        """Bytes on disk of the files with pages, and of all files."""
        sizes = {os.path.relpath(os.path.join(place, name), member):
                 os.stat(os.path.join(place, name)).st_blocks * 512
                 for place, _, names in os.walk(member) for name in names}
        pages = [size for name, size in sizes.items()
                 if re.fullmatch(r"(\w+/ram\.\d+|memory-\w+)(\.pages)?", name)]
        return sum(pages), sum(sizes.values())

    def test_has_what_changed(self):
        options = ("--master.machine", "x86-pc", "--slave.machine", "arm", "--master.image",
                   "compute", "--slave.image", "compute", "--param", "kind=matrix", "--param",
                   "n=60")
        full, chain = self.around(*options)
        all_pages, _ = self.disk(chain[0])
        self.assertGreater(all_pages, 300000)
        for member in chain[1:]:
            changed, _ = self.disk(member)
            self.assertTrue(os.path.exists(os.path.join(member, "master", "ram.0.pages")))
            self.assertLess(changed, all_pages // 3)
            self.assertEqual(manifest(member)["base"]["fingerprint"],
                             manifest(chain[chain.index(member) - 1])["fingerprint"])
        # Copied with those before it, it needs no other.
        copy = self.path("copy")
        os.mkdir(copy)
        for member in chain[:3]:
            copy_sparse(member, os.path.join(copy, os.path.basename(member)))
        last = os.path.join(copy, os.path.basename(chain[2]))
        self.assert_same(full, self.simulate("--restore", last))

    @ctest(once=True)
    def test_refused_without_those_before(self):
        options = two("arm", "ring", "n=300")
        full = self.simulate(*options)
        period = full.statistics()["simulated_ns"] // 5
        _, chain = self.save(options, "--checkpoint-every", f"{period}ns")
        copy = self.path("copy")

        def of_copy(number):
            return os.path.join(copy, os.path.basename(chain[number]))

        def refused(change, number=2):
            shutil.rmtree(copy, ignore_errors=True)
            copy_sparse(self.path("chain"), copy)
            change()
            return self.refused("--restore", of_copy(number))

        def flip(name):
            with open(name, "r+b") as f:
                data = f.read(5000)
                f.seek(4)
                f.write(bytes([data[4] ^ 1]))
        for number in (0, 1):
            gone = refused(lambda n=number: shutil.rmtree(of_copy(n)))
            self.assertIn(f"it has what changed since '{of_copy(number)}', and that is no longer "
                          "there as it was", gone)
            for name in ("manifest.json", "master/ram.0", "memory-shm"):
                self.assertIn(of_copy(number), refused(
                    lambda n=number, f=name: flip(os.path.join(of_copy(n), f))), name)
        for name in ("master/ram.0", "master/ram.0.pages", "memory-shm.pages"):
            self.assertIn("is damaged", refused(lambda f=name: flip(os.path.join(of_copy(2), f))))

        def foreign():  # whole, and of the same time, but of another run
            shutil.rmtree(of_copy(1))
            self.save(("--seed", "2", *options), "--checkpoint-every", f"{period}ns", place="other")
            copy_sparse(members(self.path("other"))[1], of_copy(1))
        self.assertIn("no longer there as it was", refused(foreign))
        # What is in those before it and not of memories is not needed.
        shutil.rmtree(copy)
        copy_sparse(self.path("chain"), copy)
        os.remove(os.path.join(of_copy(1), "master", "tape"))
        self.assert_same(full, self.simulate("--restore", of_copy(2)))
        self.assertIn("is damaged", self.refused("--restore", of_copy(1)))

    @ctest(timeout=600, once=True)
    def test_long_one(self):
        # More than so many that are based on each other.
        options = ("--slaves", 0, "--master.machine", "arm", "--master.image", "clock", "--param",
                   "n=3000")
        full = self.simulate(*options)
        period = full.statistics()["simulated_ns"] // 125
        saver, chain = self.save(options, "--checkpoint-every", f"{period}ns", "--quantum", "1us")
        self.assertGreater(len(chain), 110)
        self.assertEqual([n for n, member in enumerate(chain) if "base" not in manifest(member)],
                         [0, 100])
        for member in (chain[99], chain[100], chain[-1]):
            self.assert_same(saver, self.simulate("--restore", member))

    @ctest(timeout=600, once=True)
    def test_killed_while_saving(self):
        options = two("arm", "ring", "n=300")
        full = self.simulate(*options)
        length = full.statistics()["simulated_ns"]
        place, chance, found = self.path("chain"), random.Random(SEED), 0
        for number in range(KILLS):
            shutil.rmtree(place, ignore_errors=True)
            started = self.start(*options, "--checkpoint-every", f"{length // 12}ns",
                                 "--checkpoint", place)
            wanted = 1 + number % 6
            wait_for(lambda: os.path.exists(place) and len(whole(place)) >= wanted, RUN_TIMEOUT,
                     0.0005)
            wait_for(lambda: False, chance.random() * 0.1, 0.001)
            started.signal(signal.SIGKILL)
            started.wait()
            saved = whole(place)
            self.assertGreaterEqual(len(saved), wanted)
            found += len(members(place)) - len(saved)
            self.assert_same(full, self.simulate("--restore", saved[-1]))
        self.assertGreater(found, 0, "none was killed in the middle of saving")
        # A new run replaces what is there, rests too, once its own first one is there.
        self.save(options, "--checkpoint-every", f"{length // 3}ns")

    @ctest(once=True)
    def test_refused(self):
        options = two("arm", "ring", "n=20")
        place = self.path("chain")
        self.assertIn("of no use", self.refused(*options, "--checkpoint-every", "1us"))
        for bad in ("0", "x", "-1us"):
            self.assertIn("impossible checkpoint-every", self.refused(
                *options, f"--checkpoint-every={bad}", "--checkpoint", place))
        for bad in ("1us,", "1us,1us", "2us,1us", "1us,mark:1"):
            self.assertIn("impossible checkpoint-at", self.refused(
                *options, "--checkpoint-at", bad, "--checkpoint", place))
        self.assertIn("exclude each other", self.refused(
            *options, "--checkpoint-every", "1us", "--checkpoint-exit", "--checkpoint", place))
        self.assertIn("none was made", self.refused(
            *options, "--checkpoint-every", "10s", "--checkpoint", place))
        self.assertFalse(os.path.exists(place))
        self.save(options, "--checkpoint-every", "20us")
        self.assertIn("it is a chain of several", self.refused("--restore", place))
        self.assertIn("something else", self.refused(*options, "--checkpoint-at", "1us",
                                                     "--checkpoint", place))
        single = self.path("single")
        self.simulate(*options, "--checkpoint-at", "1us", "--checkpoint", single)
        self.assertIn("something else than a chain", self.refused(
            *options, "--checkpoint-every", "1us", "--checkpoint", single))


if __name__ == "__main__":
    main()
