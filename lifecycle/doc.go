// Package lifecycle holds the words that kiban is written in: Site, State, Plan, Step, Gate, Event, Diagnostic.
//
// It is vocabulary only: no I/O, nothing but the standard library. Everything else is a verb between these nouns:
//
//	overlays/<site> --kustomize--> Site --observe hosts + API--> State --pure diff--> Plan --apply: gate, do, verify--> Events --render-->
//
// people
package lifecycle
