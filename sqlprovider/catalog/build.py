"""Documents without problems → the frozen values of `model.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from sqlprovider.catalog.batches import batched
from sqlprovider.catalog.columns import build_columns
from sqlprovider.catalog.document import (
    DropDocument,
    FieldsDocument,
    FilterDocument,
    FinishedDocument,
    IdentityDocument,
    MethodDocument,
    OrderDocument,
    PagesDocument,
    ParentDocument,
    ProviderDocument,
    PushDocument,
    ResourceDocument,
    ServiceDocument,
    TreeDocument,
    ViewDocument,
    WaitDocument,
)
from sqlprovider.catalog.facts import summarise
from sqlprovider.catalog.model import (
    ITSELF,
    Drop,
    ErrorShape,
    Finished,
    Identity,
    Method,
    Pages,
    Parameter,
    Parent,
    Place,
    Provider,
    Resource,
    Resources,
    Service,
    Tree,
    Verb,
    View,
    WaitShape,
)
from sqlprovider.catalog.parameters import identifier, method_parameters, versioned
from sqlprovider.catalog.push import Fields, Filter, Order, Push, Term
from sqlprovider.catalog.quotas import method_quota, service_quota
from sqlprovider.catalog.references import bind_columns, set_columns, split_reference, view_path
from sqlprovider.values import Name


def build_provider(
    provider: ProviderDocument, services: Mapping[str, ServiceDocument], versions: Mapping[str, str]
) -> Provider:
    """The provider; `versions` are the services' versions in force, where not the document's own."""
    built = {name: _service(provider, services, name, versions) for name in services}
    errors = provider.errors
    return Provider(
        name=provider.provider,
        title=provider.title,
        services=built,
        errors=ErrorShape(
            code=errors.code,
            message=errors.message,
            missing=errors.missing,
            exists=errors.exists,
            denied=errors.denied,
            throttled=errors.throttled,
            others=tuple((other.code, other.message) for other in errors.others),
            request_id=errors.request_id,
            request_id_at=errors.request_id_at,
            retry_after=errors.retry_after,
        ),
        auth_types=provider.auth.types,
        auth_default=provider.auth.default,
        auth_found=provider.auth.found,
        base_url_env=provider.base_url.env,
        wait=None if provider.wait is None else _wait(provider.wait),
    )


def _wait(wait: WaitDocument) -> WaitShape:
    return WaitShape(path=wait.path, name=wait.name, done=wait.done, error=wait.error, result=wait.result)


def _service(
    provider: ProviderDocument,
    services: Mapping[str, ServiceDocument],
    name: str,
    versions: Mapping[str, str],
) -> Service:
    document = services[name]
    version = versions.get(name, document.version)

    def open_(resource: str) -> Resource:
        return _resource(Name(provider.provider, name, resource), services, version, provider)

    return Service(
        name=name,
        version=version,
        title=document.title,
        resources=Resources(document.resources, open_, partial(summarise, document.resources)),
        base_url=document.base_url or provider.base_url.url,
        global_url=document.global_url,
        endpoints=document.endpoints,
        versions=document.versions or (document.version,),
        quota=service_quota(document, provider),
    )


def _resource(
    name: Name, services: Mapping[str, ServiceDocument], version: str, provider: ProviderDocument
) -> Resource:
    service = services[name.service]
    document = service.resources[name.resource]
    taken = {method: method_parameters(document, shape) for method, shape in document.methods.items()}
    methods = {
        method: replace(
            _method(method, document, shape, taken[method], version, service.headers),
            quota=method_quota(name, method, shape, service, provider),
        )
        for method, shape in document.methods.items()
    }
    return Resource(
        name=name,
        title=document.title,
        columns=build_columns(document, taken),
        methods={
            method: batched(built, document.methods[method], methods, version)
            for method, built in methods.items()
        },
        key=tuple(identifier(column) for column in document.key),
        view=None if document.view is None else _view(document.view, document),
        drop=None if document.drop is None else _drop(document.drop),
        parents=tuple(_parent(parent, document, name.service, services) for parent in document.parents),
        refuses=document.refuses,
        identity=None if document.identity is None else _identity(document.identity),
        restore=document.restore,
        finished=None if document.finished is None else _finished(document.finished, document),
    )


def _identity(identity: IdentityDocument) -> Identity:
    return Identity(tuple(identifier(column) for column in identity.columns), unique=identity.unique)


def _finished(finished: FinishedDocument, resource: ResourceDocument) -> Finished:
    column = resource.columns[finished.column]
    return Finished(column.path or (finished.column,), finished.values, finished.keep)


def _view(view: ViewDocument, resource: ResourceDocument) -> View:
    return View(
        option=identifier(view.option),
        default=view.default,
        path=view_path(view, resource),
        values=view.values,
        column=None if view.column is None else identifier(view.column),
    )


def _drop(drop: DropDocument) -> Drop:
    return Drop(path=drop.path, values=drop.values, key=drop.key, unless=_identifier(drop.unless))


def _parent(
    parent: ParentDocument, child: ResourceDocument, service: str, services: Mapping[str, ServiceDocument]
) -> Parent:
    service, resource = split_reference(parent.resource, service)
    bind = bind_columns(parent, child, services[service].resources[resource])
    return Parent(
        service=service,
        resource=resource,
        bind={identifier(parameter): identifier(column) for parameter, column in bind.items()},
        view=parent.view if isinstance(parent.view, dict) else {},
        fixed_view=parent.view if isinstance(parent.view, str) else None,
        confirm=parent.confirm,
    )


def _method(
    name: str,
    resource: ResourceDocument,
    method: MethodDocument,
    parameters: Mapping[str, Parameter],
    version: str,
    headers: Mapping[str, str],
) -> Method:
    sets = set_columns(resource, method, parameters) if method.verb is Verb.UPDATE else ()
    named = {column: column for column in sets} if method.mask_columns is None else method.mask_columns
    return Method(
        name=name,
        wire_name=method.wire_name or name,
        verb=method.verb,
        effect="read" if method.reads else "write",
        http_method=method.http_method,
        path=versioned(method.path, version),
        parameters=parameters,
        rows=method.rows,
        optional_rows=method.optional_rows,
        plain_rows=method.verb is Verb.EXEC or _has_plain_rows(resource),
        body=method.body,
        pages=_pages(method),
        push=_push(method.push),
        tree=None if method.tree is None else _tree(method.tree),
        wait=method.wait,
        missing=method.missing is not False,
        missing_codes=method.missing if isinstance(method.missing, tuple) else (),
        repeat=method.repeat,
        mask=_identifier(method.mask),
        mask_columns={} if method.mask is None else _identified(named),
        precondition=_identifier(method.precondition),
        sets=tuple(identifier(column) for column in sets),
        answer_is_item=method.answers == "item",
        answers=_answers(method),
        headers=_headers(name, method, {**headers, **method.headers}),
        incomplete=method.incomplete or (),
        read_first=method.read_first or _is_header(method, parameters),
        ordered=tuple(identifier(column) for column in method.ordered),
        overwrites=method.overwrites,
        title=method.title,
    )


def _is_header(method: MethodDocument, parameters: Mapping[str, Parameter]) -> bool:
    """Whether the precondition goes in a header: then nothing else in the request could hold it."""
    held = [p for p in parameters.values() if method.precondition and p.column == method.precondition]
    return any(parameter.place is Place.HEADER for parameter in held)


def _has_plain_rows(resource: ResourceDocument) -> bool:
    return any(c.path == ITSELF for c in (*resource.parameters.values(), *resource.columns.values()))


def _headers(name: str, method: MethodDocument, headers: Mapping[str, str]) -> dict[str, str]:
    wire_name = method.wire_name or name
    return {header: value.replace("{wire_name}", wire_name) for header, value in headers.items()}


def _answers(method: MethodDocument) -> dict[str, tuple[str, ...]]:
    if isinstance(method.answers, str):
        return {}
    return {identifier(column): path for column, path in method.answers.items()}


def _pages(method: MethodDocument) -> Pages | None:
    """A SELECT of one object has one page without saying so."""
    pages = method.pages or (PagesDocument(style="one") if method.verb is Verb.SELECT else None)
    if pages is None:
        return None
    return Pages(
        style=pages.style,
        parameter=_identifier(pages.parameter),
        token=pages.token or (),
        size=_identifier(pages.size),
        size_max=pages.size_max,
        total=pages.total or (),
        first=pages.first,
        offset=pages.offset,
        bounds=tuple(identifier(name) for name in pages.bounds),
    )


def _push(push: PushDocument) -> Push:
    return Push(
        filter=None if push.filter is None else _filter(push.filter),
        order=None if push.order is None else _order(push.order),
        equals={identifier(column): identifier(parameter) for column, parameter in push.equals.items()},
        fields=None if push.fields is None else _fields(push.fields),
    )


def _fields(fields: FieldsDocument) -> Fields:
    return Fields(
        parameter=identifier(fields.parameter),
        template=fields.template,
        separator=fields.separator,
        always=fields.always,
    )


def _filter(spelling: FilterDocument) -> Filter:
    terms = {
        identifier(column): Term(
            name=term.name,
            ops={op.value: said for op, said in term.ops.items()},
            value=term.value,
            forbidden=term.forbidden,
            key_forbidden=term.key_forbidden,
            exact=term.exact,
        )
        for column, term in spelling.terms.items()
    }
    return Filter(
        parameter=identifier(spelling.parameter),
        terms=terms,
        conjunction=spelling.conjunction,
        quotes=spelling.quotes,
        escape=spelling.escape,
        forbidden=spelling.forbidden,
    )


def _order(order: OrderDocument) -> Order:
    return Order(
        parameter=identifier(order.parameter),
        columns=_identified(order.columns),
        exact={identifier(column): tuple(directions) for column, directions in order.exact.items()},
        stable=order.stable,
        directions=order.directions,
        as_list=order.as_list,
        keys=_identified(order.keys),
        key_forbidden=order.key_forbidden,
    )


def _tree(tree: TreeDocument) -> Tree:
    return Tree(flag=tree.flag, parameter=identifier(tree.parameter), column=tree.column)


def _identified(named: Mapping[str, str]) -> dict[str, str]:
    return {identifier(column): said for column, said in named.items()}


def _identifier(name: str | None) -> str | None:
    return None if name is None else identifier(name)
