package posix

import "fmt"

// Hardware is what a machine is made of, as its programs tell it. A zero field is what Ordinary has.
type Hardware struct {
	// CPUs is how many processors there are.
	CPUs int
	// Memory is in bytes; the kernel's own share is taken off already.
	Memory int64
	// Disk and DiskFree are the size of the machine's one disk and what is free on it, in bytes.
	Disk, DiskFree int64
	// Arch is the architecture as Go has it: amd64 or arm64.
	Arch string
}

// Ordinary is a machine that nothing is said of: 16 processors, 62.8 GiB, and 50 GiB free of a disk of 64 GiB.
func Ordinary() Hardware {
	return Hardware{CPUs: 16, Memory: 65807484 << 10, Disk: 64 << 30, DiskFree: 50 << 30, Arch: "amd64"}
}

// Filled is the hardware with Ordinary's values where nothing is said. Of a disk without a word on what is free, four fifths are.
func (h Hardware) Filled() Hardware {
	o := Ordinary()
	if h.CPUs == 0 {
		h.CPUs = o.CPUs
	}
	if h.Memory == 0 {
		h.Memory = o.Memory
	}
	switch {
	case h.Disk == 0 && h.DiskFree == 0:
		h.Disk, h.DiskFree = o.Disk, o.DiskFree
	case h.Disk == 0:
		h.Disk = max(o.Disk, h.DiskFree)
	case h.DiskFree == 0:
		h.DiskFree = h.Disk / 5 * 4
	}
	if h.Arch == "" {
		h.Arch = o.Arch
	}
	return h
}

// Machine is what `uname -m` calls the architecture.
func (h Hardware) Machine() string {
	if h.Arch == "arm64" {
		return "aarch64"
	}
	return "x86_64"
}

// Kernel is the release that `uname -r` tells.
func (h Hardware) Kernel() string { return "6.1.0-31-" + h.Arch }

// MemInfo is /proc/meminfo. A machine that runs next to nothing has most of its memory left.
func (h Hardware) MemInfo() string {
	total := h.Memory >> 10
	return fmt.Sprintf("MemTotal:       %8d kB\nMemFree:        %8d kB\nMemAvailable:   %8d kB\nSwapTotal:             0 kB\n", total,
		ofOrdinary(total, 61012312), ofOrdinary(total, 63576440))
}

// ofOrdinary is the share of total, in KiB, that is kib of an ordinary machine's memory.
func ofOrdinary(total, kib int64) int64 {
	return int64(float64(total) / float64(Ordinary().Memory>>10) * float64(kib))
}

// blocks are the disk's blocks of 4 KiB, and those that are free.
func (h Hardware) blocks() (total, free int64) { return h.Disk >> 12, h.DiskFree >> 12 }
