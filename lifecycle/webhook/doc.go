// Package webhook posts messages to an address that takes Slack's incoming webhooks. The address is a secret: no error shows it.
package webhook
