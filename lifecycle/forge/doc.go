// Package forge decides what a merge request and people are told of sites: the assessment of a plan and the note about it, the reports
// that a forge shows beside a change, and the messages of runs and drift, each told once. It speaks to a forge through the small interface
// Forge, which lifecycle/gitlab satisfies, and posts to chats by itself.
package forge
