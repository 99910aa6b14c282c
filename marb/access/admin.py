"""Practices, people and their roles. An administrator of a practice manages its members, a superuser everybody.

A person who is also a member of a practice that the administrator does not run is seen but not changed: a password
set here would open the other practice. Nobody but a superuser makes superusers. Roles are memberships; Django's
groups and per-model permissions are not used. The lock-out records are axes' own.
"""

from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import ForeignKey, Prefetch, Q, QuerySet
from django.http import HttpRequest
from knox.models import AuthToken
from unfold.admin import TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from marb.access import auditpage  # noqa: F401  (registers its page)
from marb.access.models import Membership, Practice
from marb.access.roles import Action, find_practices, is_superuser, may, may_anywhere
from marb.core.admin import ScopedAdmin

for model in (Group, User, AuthToken, AccessAttempt, AccessFailureLog, AccessLog):
    admin.site.unregister(model)


class SuperuserAdmin(ScopedAdmin):
    """Records that belong to no practice: a superuser's only."""

    has_practice = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = self.model._default_manager.all()
        return rows.order_by("-pk") if is_superuser(request.user) else rows.none()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_superuser(request.user)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(SuperuserAdmin):
    list_display = ("username", "ip_address", "attempt_time", "failures_since_start")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting an attempt lifts its lock-out."""
        return is_superuser(request.user)


@admin.register(AccessLog)
class AccessLogAdmin(SuperuserAdmin):
    list_display = ("username", "ip_address", "attempt_time", "logout_time")


@admin.register(Practice)
class PracticeAdmin(ScopedAdmin):
    """Practices: made by a superuser, configured by those who manage their members."""

    has_practice = False
    list_display = ("name", "code", "time_zone", "is_active")
    search_fields = ("code",)
    readonly_fields = ("created_at",)
    fieldsets = (
        (None, {"fields": ("name", "code", "time_zone", "is_active")}),
        ("Rules", {"fields": ("segment_expectations", "payer_specific_rules")}),
        ("Record", {"fields": ("created_at",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return Practice.objects.for_user(request.user).order_by("code")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        return queryset.filter(Q(code__istartswith=term) | Q(name__istartswith=term)), False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if is_superuser(request.user) else (*self.readonly_fields, "code", "is_active")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is None:
            return may_anywhere(request.user, Action.MANAGE_MEMBERS)
        return may(request.user, obj.pk, Action.MANAGE_MEMBERS)


class MembershipInline(TabularInline):
    """A person's roles: an administrator sees and gives only those of the practices that they run."""

    model = Membership
    extra = 0
    fields = ("practice", "role")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        practices = find_practices(request.user, Action.MANAGE_MEMBERS)
        return super().get_queryset(request).filter(practice__in=practices).select_related("practice", "user")

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "practice":
            kwargs["queryset"] = find_practices(request.user, Action.MANAGE_MEMBERS)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_min_num(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        """An administrator's new person belongs to a practice, else nobody but a superuser would see them."""
        return 0 if is_superuser(request.user) else 1

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, validate_min=True, **kwargs)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_manage(request, obj)

    has_change_permission = has_delete_permission = has_add_permission


@admin.register(User)
class MemberAdmin(UserAdmin, ScopedAdmin):  # type: ignore[misc]
    """People, with their roles below."""

    has_practice = False
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = (MembershipInline,)
    list_display = ("username", "full_name", "roles", "is_active", "last_login")
    list_filter = ()
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    ordering = ("username",)
    person = ("first_name", "last_name", "email", "is_active")
    fieldsets = (
        (None, {"fields": ("username", "password", *person)}),
        ("Record", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2", *person)}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        practices = Practice.objects.for_user(request.user)
        shown = Membership.objects.filter(practice__in=practices).select_related("practice")
        # all of them, to know who may be changed; of those, what this person may see
        held = ("memberships", Prefetch("memberships", shown, to_attr="shown_memberships"))
        people = User.objects.order_by("username").prefetch_related(*held)
        if is_superuser(request.user):
            return people
        return people.filter(Q(memberships__practice__in=practices)).distinct()

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        return queryset.filter(Q(username__startswith=term) | Q(last_name__istartswith=term)), False

    def get_ordering(self, request: HttpRequest) -> Any:
        return ("username",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_fieldsets(request, obj)
        if not is_superuser(request.user) or obj is None:
            return shown
        return (*shown, ("Everything", {"fields": ("is_staff", "is_superuser")}))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.is_staff = obj.is_staff or not change
        super().save_model(request, obj, form, change)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_anywhere(request.user, Action.MANAGE_MEMBERS)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_manage(request, obj)

    def full_name(self, user: User) -> str:
        return user.get_full_name()

    full_name.short_description = "Name"  # type: ignore[attr-defined]

    def roles(self, user: Any) -> str:
        return ", ".join(f"{row.get_role_display()} at {row.practice}" for row in user.shown_memberships)


def may_manage(request: HttpRequest, person: Any) -> bool:
    """Say whether every practice of a person is one that the asking administrator runs."""
    if is_superuser(request.user):
        return True
    if person is None:
        return may_anywhere(request.user, Action.MANAGE_MEMBERS)
    practices = [row.practice_id for row in person.memberships.all()]
    runs_all = all(may(request.user, practice_id, Action.MANAGE_MEMBERS) for practice_id in practices)
    return bool(practices) and runs_all and not person.is_superuser


def may_upload(request: HttpRequest) -> bool:
    """Say whether the sidebar shows the upload page."""
    return may_anywhere(request.user, Action.UPLOAD)


def may_manage_members(request: HttpRequest) -> bool:
    """Say whether the sidebar shows the people."""
    return may_anywhere(request.user, Action.MANAGE_MEMBERS)
