// SPDX-License-Identifier: Apache-2.0
// What a system is made of, as somebody has described it: plain data, from a file (read_system) or
// from C++. Ends are written by name: "shm" is the only socket of part shm, "dma.out" one of
// several.
#pragma once

#include "tandem/parameters.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tandem
{

/// What all things of a system have: a name, and values by key, as texts.
struct described_thing {
  std::string name;
  parameter_values values = {};
  std::string to = {}; ///< where its initiator socket leads, an interconnect or a target; empty:
                       ///< see described_interconnect::from and described_link
  /// Where it was described, and each key of it that was given elsewhere, for errors ("FILE:LINE",
  /// "--set mesh.clock"); empty: nowhere in particular.
  std::string where = {};
  std::map<std::string, std::string> places = {};
  /// Keys of values that were given to another kind. expand() leaves out those that the thing's own
  /// kind does not have.
  std::set<std::string> of_other_kind = {};

  /// Where that key was given.
  const std::string &place(const std::string &key) const;
  /// Where the key was given whose value a sentence of a model refuses ("parameter KEY ...").
  const std::string &place_of(const std::string &sentence) const;
};

/// A QEMU process. Its keys are those of instance_keys().
struct described_instance : described_thing {
  /// Set: stands for that many, NAME0, NAME1, ..., with the same keys. One of these is described by
  /// its own name for what is different about it.
  std::optional<unsigned> count = {};
};

/// Those of its keys that name files, which a run reads.
inline constexpr const char *instance_files[] = {"image", "initrd", "dtb"};

struct described_part : described_thing {
  std::string kind = {}; ///< see part.h
  /// Unset: it is not there, and what leads to it leads to where its `to` does, if to anything.
  bool present = true;
};

/// A range of an interconnect's addresses, and where it leads.
struct described_range {
  std::uint64_t address = 0;
  std::uint64_t size = 0; ///< bytes; 0: as many as the target says
  /// A target socket or another interconnect. Several: the range is spread over them, `granule`
  /// bytes to each in turn. A part that has a port for each instance gives each its own.
  std::vector<std::string> to = {};
  std::uint64_t granule = 0;
  std::uint64_t target_address = 0;        ///< what the target sees for the first byte
  std::vector<std::string> only = {};      ///< instances and initiators that see it; empty: all
  std::optional<std::uint64_t> guest = {}; ///< where guests see it; else the machine's place for it
  std::string name = {};                   ///< in messages and statistics; empty: the target's
  std::string where = {};
};

/// An initiator at an interconnect: an instance, or an initiator socket of a part.
struct described_initiator {
  std::string end;
  std::string name = {}; ///< in messages and statistics; empty: that of the end
};

struct described_interconnect : described_thing {
  std::string kind = {};                      ///< see interconnect_registry.h
  std::vector<described_initiator> from = {}; ///< those besides what says `to`
  std::vector<described_range> map = {};
  std::string default_target = {}; ///< gets what no range has: an end, or the name of a range
};

/// An initiator socket that leads to one target socket, without an interconnect.
struct described_link {
  std::string from, to, where;
};

/// An interrupt output and an instance.
struct described_wire {
  std::string from;                   ///< "accel", or "accel.done" of several
  std::string to;                     ///< an instance
  std::optional<unsigned> input = {}; ///< of its interrupt controller; none: the next free one
  bool preferred = false; ///< the input; where the machine has no such one, the next free one
  bool edge = false, invert = false;
  std::string where = {};
};

/// An option of a platform's command line that sets a key of the system.
struct described_option {
  std::string name; ///< "shared-memory"
  /// NAME.KEY as for set_key(); or "NAME.*": the option takes KEY=VALUE and may be repeated, and
  /// being given at all, or as "on", has part NAME be present.
  std::string sets;
  std::string help;
};

struct system_description {
  std::string help; ///< paragraph for --help
  std::vector<described_instance> instances;
  std::vector<described_part> parts;
  std::vector<described_interconnect> interconnects;
  std::vector<described_link> links;
  std::vector<described_wire> wires;
  std::vector<described_option> options;
  /// Options of the run, as on the command line, which goes before them.
  struct setting {
    std::string name, value, where;
  };
  std::vector<setting> run;
};

/// Reads a description in TOML (docs/describing-a-system.md): a file, the name of a system that
/// comes with Tandem ("x86-arm"), or the text itself, which has more than one line. SC_ERROR
/// "/tandem/options" that names file and line.
system_description read_system(const std::string &source);

/// Sets NAME.KEY of an instance, a part or an interconnect, or run.KEY, in place of what has been
/// said of it; KEY alone is a parameter of the only interconnect. A new kind takes over those
/// values of the former one that it has parameters for. where: for errors. SC_ERROR
/// "/tandem/options" when there is no such thing, or it has no such key.
void set_key(system_description &system, const std::string &name_and_key, const std::string &value,
             const std::string &where);

/// Adds a part as --add has it:
/// NAME=KIND[@ADDRESS][,on=INTERCONNECT][,irq=N][,trigger=edge|level][,for=INSTANCE+...]
/// [,guest=ADDRESS][,PARAMETER=VALUE...]. SC_ERROR when that is not possible.
void add_part(system_description &system, const std::string &text);

/// The same system without what stands for several things or for none: instances with a count,
/// parts that are not present, values of another kind, `to` of things.
system_description expand(const system_description &system);

/// The description as a file that read_system() reads as the same system; options and help are left
/// out.
std::string system_text(const system_description &system);

/// A key that an instance may have, and a line of help.
struct instance_key {
  const char *name, *help;
};
const std::vector<instance_key> &instance_keys();

/// Of the key `memory`: the text, with the size that another one has if it says "platform" and no
/// size.
std::string with_size_of(const std::string &text, const std::string &other);

constexpr unsigned most_of_a_kind = 15; ///< instances that one description stands for

} // namespace tandem
