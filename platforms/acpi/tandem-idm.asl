/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * By what an x86 guest with ACPI finds its port of the IDM: a platform device TNDM0001 with the
 * port, the shared memory and the interrupt, in this order. Goes through the C preprocessor
 * before it is compiled. Where the shared memory lies and how large it is differs from run to
 * run: the platform writes it over the one page given here (acpi_table.cpp).
 */
#include "tandem-sw/guest_map.h"
#include "tandem/idm_registers.h"

DefinitionBlock ("", "SSDT", 2, "TANDEM", "TNDMIDM", 1)
{
  Scope (\_SB)
  {
    Device (TIDM)
    {
      Name (_HID, "TNDM0001")
      Name (_UID, 0)
      Name (_CRS, ResourceTemplate ()
      {
        Memory32Fixed (ReadWrite, GUEST_MAP_X86_64_IDM, TANDEM_IDM_PORT_SIZE)
        QWordMemory (ResourceConsumer, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite,
                     0, 0, 0xfff, 0, 0x1000)
        Interrupt (ResourceConsumer, Level, ActiveHigh, Exclusive) { GUEST_MAP_X86_64_IRQ }
      })
    }
  }
}
