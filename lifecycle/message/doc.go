// Package message decides what people are told of a site, in which words, and whether they were told before. It sends nothing.
package message
