// Package e2e drives the real kiban binary over real SSH against the lab's machines and the real Kubernetes behind them. It is tests alone.
package e2e
