// Package lightapi is a Kubernetes API that keeps what it is given, and does nothing by itself: objects with resource versions,
// conflicts, lists by label and field, watches, merge patches, discovery, health. There is no validation, no defaulting, no admission, no
// authorization beyond a client certificate of the cluster's authority, no controller and no scheduler. It takes some hundred kilobytes,
// so that a lab may have as many clusters as a fleet has sites; whatever depends on what Kubernetes itself decides needs a real one.
package lightapi
