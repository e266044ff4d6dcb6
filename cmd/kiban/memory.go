package main

import "runtime/debug"

// spendMemory has Go collect garbage less often, as long as there is little of it: reading many sites takes a quarter less processor
// time. Near mostMemory it collects as ever. Whoever sets GOGC or GOMEMLIMIT decides himself.
func spendMemory(getenv func(string) string) {
	const percent, mostMemory = 400, 700 << 20 // bytes
	if getenv("GOGC") != "" || getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(percent)
	debug.SetMemoryLimit(mostMemory)
}
