package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"kiban.dev/kiban/lifecycle"
)

// Inventories are Secrets of one type beside the cluster's own. A Secret, because fewer people may read those: an inventory names
// everything that runs.
const (
	inventoryType  = "kiban.dev/inventory"
	inventoryLabel = "kiban.dev/inventory"
	inventoryKey   = "inventory.json"
)

// inventoryName is the Secret of a unit: "addon/metallb" is in kiban-addon-metallb.
func inventoryName(unit string) string { return "kiban-" + strings.ReplaceAll(unit, "/", "-") }

// inventoryValue is a unit as a label's value, which can't have a slash.
func inventoryValue(unit string) string { return strings.ReplaceAll(unit, "/", ".") }

// Inventories are those that the cluster keeps, sorted by unit. One that can't be read is an error: what it names would look as if
// nobody had applied it.
func (c *Client) Inventories(ctx context.Context) ([]lifecycle.Inventory, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	list, err := c.api.CoreV1().Secrets(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{LabelSelector: inventoryLabel})
	if err != nil {
		return nil, fmt.Errorf("list inventories: %w", err)
	}
	var out []lifecycle.Inventory
	for i := range list.Items {
		var inv lifecycle.Inventory
		s := &list.Items[i]
		if err := json.Unmarshal(s.Data[inventoryKey], &inv); err != nil || inv.Unit == "" || inventoryName(inv.Unit) != s.Name {
			return nil, lifecycle.Errorf("Secret "+s.Namespace+"/"+s.Name, "kiban's inventory in the cluster can't be read").
				Because("its key " + inventoryKey + " does not hold what kiban writes there").
				Try("Delete the Secret if someone else made it; kiban then takes over again what is there, " +
					"and prunes nothing of what had left the repository before").
				From(err)
		}
		out = append(out, inv)
	}
	slices.SortFunc(out, func(a, b lifecycle.Inventory) int { return cmp.Compare(a.Unit, b.Unit) })
	return out, nil
}

// WriteInventory keeps an inventory in the cluster, in place of the unit's former one.
func (c *Client) WriteInventory(ctx context.Context, inv lifecycle.Inventory) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	content, err := json.Marshal(inv)
	if err != nil {
		return fmt.Errorf("inventory of %s: %w", inv.Unit, err)
	}
	labels := ownLabels()
	labels[inventoryLabel] = inventoryValue(inv.Unit)
	s := applycorev1.Secret(inventoryName(inv.Unit), metav1.NamespaceSystem).WithLabels(labels).WithType(corev1.SecretType(inventoryType)).
		WithData(map[string][]byte{inventoryKey: content})
	err = c.persistently(ctx, func(ctx context.Context) error {
		_, err := c.api.CoreV1().Secrets(metav1.NamespaceSystem).Apply(ctx, s, metav1.ApplyOptions{FieldManager: manager, Force: true})
		return err
	})
	if err != nil {
		return fmt.Errorf("write the inventory of %s: %w", inv.Unit, err)
	}
	return nil
}

// DeleteInventory forgets a unit. One that is not there is no error.
func (c *Client) DeleteInventory(ctx context.Context, unit string) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	err := c.persistently(ctx, func(ctx context.Context) error {
		return c.api.CoreV1().Secrets(metav1.NamespaceSystem).Delete(ctx, inventoryName(unit), metav1.DeleteOptions{})
	})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete the inventory of %s: %w", unit, err)
	}
	return nil
}
