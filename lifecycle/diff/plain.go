package diff

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// plain turns a typed declaration into the values that its document has: durations and versions as text, fields by their names there, and
// without where it was declared.
func plain(v any) any { return plainValue(reflect.ValueOf(v)) }

func plainValue(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	switch x := v.Interface().(type) {
	case time.Duration:
		return duration(x)
	case lifecycle.Window:
		return window(x)
	case lifecycle.SecretSource:
		return x.String()
	case encoding.TextMarshaler:
		if b, err := x.MarshalText(); err == nil {
			return string(b)
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return plainValue(v.Elem())
	case reflect.Struct:
		return plainStruct(v)
	case reflect.Map:
		out := map[string]any{}
		for _, k := range v.MapKeys() {
			out[fmt.Sprint(k)] = plainValue(v.MapIndex(k))
		}
		return out
	case reflect.Slice:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = plainValue(v.Index(i))
		}
		return out
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Int:
		return v.Int()
	}
	return fmt.Sprint(v.Interface())
}

func plainStruct(v reflect.Value) map[string]any {
	out := map[string]any{}
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		f := v.Field(i)
		if name == "" || name == "-" || name == "source" || (strings.HasPrefix(options, "omit") && empty(f)) {
			continue
		}
		out[name] = plainValue(f)
	}
	return out
}

// empty reports whether a field says nothing.
func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return v.IsZero()
}

// duration is written as in a document: 10m, 1h30m.
func duration(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = strings.TrimSuffix(s, zero[1:])
		}
	}
	return s
}

// window says "Sat, Sun 22:00-04:00 Asia/Tokyo".
func window(w lifecycle.Window) string {
	var days []string
	for _, d := range w.Days {
		days = append(days, d.String()[:3])
	}
	if len(days) == 0 {
		days = []string{"daily"}
	}
	clock := func(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }
	return fmt.Sprintf("%s %s-%s %s", strings.Join(days, ", "), clock(w.Start), clock(w.End), w.TimeZone)
}

// document decodes a YAML document; nil when it is none.
func document(b []byte) map[string]any {
	var v any
	if err := yaml.Unmarshal(b, &v); err != nil {
		return nil
	}
	m, _ := jsonValue(v).(map[string]any)
	return m
}

// jsonValue keeps to what JSON has: YAML's maps may have keys of any type, and its dates are texts.
func jsonValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = jsonValue(v[k])
		}
	case map[any]any:
		out := map[string]any{}
		for k := range v {
			out[fmt.Sprint(k)] = jsonValue(v[k])
		}
		return out
	case []any:
		for i := range v {
			v[i] = jsonValue(v[i])
		}
	case time.Time:
		return v.Format(time.RFC3339)
	}
	return v
}
