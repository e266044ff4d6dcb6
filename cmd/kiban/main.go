package main

import (
	"context"
	"os"
	_ "time/tzdata" // maintenance windows name time zones, and a slim image has no zone files
)

func main() {
	spendMemory(os.Getenv)
	os.Exit(Run(context.Background(), systemStreams(), os.Args[1:]))
}
